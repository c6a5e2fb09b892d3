// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EscrowLine, EscrowTerms, Ruling} from "../../src/interfaces/IEscrow.sol";
import {Language} from "./Language.sol";
import {Market} from "./Market.sol";

/// @notice Escrows in that market: their terms, the language of conditions, and every message about them.
/// @dev Ids and messages are made from the words of EIP-712, not by the contract's own code.
abstract contract EscrowWorld is Market, Language {
    uint64 internal constant OPEN_BY = uint64(NOON + 1 days);
    uint64 internal constant DEADLINE = uint64(NOON + 30 days);
    uint64 internal constant ANSWER = 5 days;
    uint64 internal constant LAST_WORD = 2 days;
    uint8 internal constant FALLBACK = 255;
    uint128 internal constant SUM = 1000;
    uint128 internal constant UNRULED = 400;

    string internal constant LINE_TYPE =
        "EscrowLine(uint8 milestone,uint32 asset,address depositor,address beneficiary,uint128 quantity,uint128 ifMet,uint128 byDefault,uint128 ifUnruled)";
    string internal constant TERMS_TYPE =
        "EscrowTerms(uint64 openBy,EscrowLine[] lines,uint64[] deadlines,bytes program,address[] arbiters,uint8 quorum,uint64 answerTime,address fallbackArbiter,uint64 fallbackTime,bytes32 text,bytes32 ref,bytes32 salt)";

    address internal third;
    address[3] internal panel;
    address internal lastArbiter;

    function setUp() public virtual override {
        super.setUp();
        third = named("third");
        panel = [named("arbiter 0"), named("arbiter 1"), named("arbiter 2")];
        lastArbiter = named("last arbiter");
        give(buyer, EURO, 100_000);
        give(seller, BOND, 100_000);
        give(agent, DOLLAR, 100_000);
    }

    // ---------------------------------------------------------------- terms

    /// @notice The buyer's euros for the seller: all if the condition is met, none by default.
    function lineOf(uint8 milestone, uint128 quantity) internal view returns (EscrowLine memory) {
        return lineOf(milestone, EURO, buyer, seller, quantity);
    }

    function lineOf(uint8 milestone, uint32 asset, address from, address to, uint128 quantity)
        internal
        pure
        returns (EscrowLine memory)
    {
        return EscrowLine({
            milestone: milestone,
            asset: asset,
            depositor: from,
            beneficiary: to,
            quantity: quantity,
            ifMet: quantity,
            byDefault: 0,
            ifUnruled: quantity * UNRULED / SUM
        });
    }

    /// @notice One milestone of one line, nobody to dispute before.
    function escrowOf(bytes memory program) internal view returns (EscrowTerms memory escrow) {
        escrow = escrowOf(1, program);
        escrow.lines[0] = lineOf(0, SUM);
    }

    /// @notice So many milestones of a line each, a day between their deadlines.
    function escrowOf(uint256 milestones, bytes memory program)
        internal
        view
        returns (EscrowTerms memory escrow)
    {
        escrow.openBy = OPEN_BY;
        escrow.program = program;
        escrow.text = keccak256("text");
        escrow.ref = keccak256("ref");
        escrow.salt = keccak256("salt");
        escrow.lines = new EscrowLine[](milestones);
        escrow.deadlines = new uint64[](milestones);
        for (uint256 m = 0; m < milestones; ++m) {
            escrow.lines[m] = lineOf(uint8(m), SUM);
            escrow.deadlines[m] = uint64(DEADLINE + m * 1 days);
        }
    }

    /// @notice Delivery, signed by the third.
    function delivery() internal view returns (EscrowTerms memory) {
        return escrowOf(signedBy(third, DELIVERED));
    }

    /// @notice Two of three arbiters, and one behind them.
    function withPanel(EscrowTerms memory escrow) internal view returns (EscrowTerms memory) {
        escrow.arbiters = new address[](3);
        for (uint256 k = 0; k < 3; ++k) {
            escrow.arbiters[k] = panel[k];
        }
        escrow.quorum = 2;
        escrow.answerTime = ANSWER;
        escrow.fallbackArbiter = lastArbiter;
        escrow.fallbackTime = LAST_WORD;
        return escrow;
    }

    function addLine(EscrowTerms memory escrow, EscrowLine memory line) internal pure {
        EscrowLine[] memory lines = new EscrowLine[](escrow.lines.length + 1);
        for (uint256 k = 0; k < escrow.lines.length; ++k) {
            lines[k] = escrow.lines[k];
        }
        lines[escrow.lines.length] = line;
        escrow.lines = lines;
    }

    // ---------------------------------------------------------------- ids and signers

    /// @notice The escrow's id as EIP-712 says it, by nested `abi.encode`.
    function idOf(EscrowTerms memory escrow) internal view returns (bytes32) {
        bytes memory hashes;
        for (uint256 k = 0; k < escrow.lines.length; ++k) {
            bytes memory words = abi.encode(keccak256(bytes(LINE_TYPE)), escrow.lines[k]);
            hashes = abi.encodePacked(hashes, keccak256(words));
        }
        bytes memory head = abi.encode(
            keccak256(abi.encodePacked(TERMS_TYPE, LINE_TYPE)),
            escrow.openBy,
            keccak256(hashes),
            keccak256(abi.encodePacked(escrow.deadlines)),
            keccak256(escrow.program),
            keccak256(abi.encodePacked(escrow.arbiters))
        );
        bytes memory rest = abi.encode(
            escrow.quorum,
            escrow.answerTime,
            escrow.fallbackArbiter,
            escrow.fallbackTime,
            escrow.text,
            escrow.ref,
            escrow.salt
        );
        return digestOf(keccak256(abi.encodePacked(head, rest)));
    }

    /// @notice Depositors and beneficiaries of the lines of some milestones, a bit each.
    function partiesOf(EscrowTerms memory escrow, uint256 milestones)
        internal
        pure
        returns (address[] memory)
    {
        address[] memory all = new address[](2 * escrow.lines.length);
        for (uint256 k = 0; k < escrow.lines.length; ++k) {
            if (milestones / 2 ** escrow.lines[k].milestone % 2 == 0) continue;
            all[2 * k] = escrow.lines[k].depositor;
            all[2 * k + 1] = escrow.lines[k].beneficiary;
        }
        return distinct(all);
    }

    function signersOf(EscrowTerms memory escrow) internal pure returns (address[] memory) {
        address[] memory parties = partiesOf(escrow, type(uint256).max);
        uint256 count = parties.length;
        address[] memory all = new address[](count + escrow.arbiters.length + 1);
        for (uint256 k = 0; k < all.length; ++k) {
            if (k < count) all[k] = parties[k];
            else if (k == all.length - 1) all[k] = escrow.fallbackArbiter;
            else all[k] = escrow.arbiters[k - count];
        }
        return distinct(all);
    }

    /// @dev Each once, in order, without zeros.
    function distinct(address[] memory all) private pure returns (address[] memory accounts) {
        uint256 count = 0;
        for (uint256 k = 0; k < all.length; ++k) {
            bool isNew = all[k] != address(0);
            for (uint256 j = 0; j < count; ++j) {
                if (all[j] == all[k]) isNew = false;
            }
            if (isNew) all[count++] = all[k];
        }
        accounts = new address[](count);
        for (uint256 k = 0; k < count; ++k) {
            accounts[k] = all[k];
        }
    }

    function consents(EscrowTerms memory escrow) internal view returns (bytes[] memory) {
        return signaturesOver(idOf(escrow), signersOf(escrow));
    }

    // ---------------------------------------------------------------- messages

    string internal constant ATTESTATION =
        "EscrowAttestation(bytes32 escrow,uint8 milestone,address signer,bytes32 statement,uint64 observedAt)";

    function messageOf(string memory messageType, bytes memory words)
        internal
        view
        returns (bytes32)
    {
        return digestOf(keccak256(abi.encodePacked(keccak256(bytes(messageType)), words)));
    }

    /// @notice Evidence: the signer says that it was delivered.
    function attested(bytes32 id, uint256 milestone, address signer, uint64 observedAt)
        internal
        view
        returns (bytes memory)
    {
        bytes memory words = abi.encode(id, milestone, signer, DELIVERED, observedAt);
        return abi.encodePacked(observedAt, signatureBy(signer, messageOf(ATTESTATION, words)));
    }

    /// @notice Evidence for the usual delivery, observed now.
    function proof(EscrowTerms memory escrow) internal view returns (bytes[] memory) {
        return listed(attested(idOf(escrow), 0, third, uint64(vm.getBlockTimestamp())));
    }

    function splitBy(bytes32 id, uint256 m, address account, uint128[] memory paid, uint64 validBy)
        internal
        view
        returns (bytes memory)
    {
        bytes32 digest = messageOf(
            "EscrowSplit(bytes32 escrow,uint8 milestone,address account,uint128[] paid,uint64 validBy)",
            abi.encode(id, m, account, keccak256(abi.encodePacked(paid)), validBy)
        );
        return signatureBy(account, digest);
    }

    /// @notice Signatures of these accounts under one split, good for ever.
    function splits(bytes32 id, uint256 m, address[] memory accounts, uint128[] memory paid)
        internal
        view
        returns (bytes[] memory list)
    {
        list = new bytes[](accounts.length);
        for (uint256 k = 0; k < list.length; ++k) {
            list[k] = splitBy(id, m, accounts[k], paid, type(uint64).max);
        }
    }

    function disputeBy(bytes32 id, uint256 m, address account, uint64 validBy)
        internal
        view
        returns (bytes memory)
    {
        bytes32 digest = messageOf(
            "EscrowDispute(bytes32 escrow,uint8 milestone,address account,bytes32 evidence,uint64 validBy)",
            abi.encode(id, m, account, keccak256("file"), validBy)
        );
        return signatureBy(account, digest);
    }

    /// @notice A ruling of one of the panel, or of the fallback, good for ever.
    function rulingBy(bytes32 id, uint256 m, uint8 arbiter, uint128[] memory paid)
        internal
        view
        returns (Ruling memory)
    {
        address account = arbiter == FALLBACK ? lastArbiter : panel[arbiter];
        bytes32 digest = messageOf(
            "EscrowRuling(bytes32 escrow,uint8 milestone,address arbiter,uint128[] paid,bytes4 reason,uint64 validBy)",
            abi.encode(
                id, m, account, keccak256(abi.encodePacked(paid)), bytes4("LATE"), type(uint64).max
            )
        );
        return Ruling(arbiter, "LATE", type(uint64).max, signatureBy(account, digest));
    }

    function rulings(bytes32 id, uint256 m, uint8 one, uint8 two, uint128[] memory paid)
        internal
        view
        returns (Ruling[] memory list)
    {
        list = new Ruling[](2);
        list[0] = rulingBy(id, m, one, paid);
        list[1] = rulingBy(id, m, two, paid);
    }

    // ---------------------------------------------------------------- lists

    function listed(bytes memory one) internal pure returns (bytes[] memory list) {
        list = new bytes[](1);
        list[0] = one;
    }

    function listed(bytes memory one, bytes memory two)
        internal
        pure
        returns (bytes[] memory list)
    {
        list = new bytes[](2);
        (list[0], list[1]) = (one, two);
    }

    function paying(uint128 one) internal pure returns (uint128[] memory list) {
        list = new uint128[](1);
        list[0] = one;
    }

    function paying(uint128 one, uint128 two) internal pure returns (uint128[] memory list) {
        list = new uint128[](2);
        (list[0], list[1]) = (one, two);
    }
}
