// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EscrowTerms, IEscrow, Outcome} from "../../src/interfaces/IEscrow.sol";
import {EscrowActs} from "../support/EscrowActs.sol";
import {Wallet} from "../support/Wallet.sol";

/// @notice What named signers say: attestations, readings, and the secret of a hash lock.
contract StatementsTest is EscrowActs {
    string private constant READING =
        "EscrowReading(bytes32 escrow,uint8 milestone,address signer,bytes32 feed,uint8 kind,uint64 at,int128 value,uint64 observedAt)";
    uint64 private constant NOW = uint64(NOON + 2 hours);

    function invalid(uint256 index) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IEscrow.EvidenceInvalid.selector, index);
    }

    function opened(bytes memory program) private returns (EscrowTerms memory escrow) {
        escrow = escrowOf(program);
        vm.warp(NOON + 1 hours);
        open(escrow);
        vm.warp(NOW);
    }

    function reading(bytes32 id, uint8 kind, uint64 place, int128 value, uint64 observedAt)
        private
        view
        returns (bytes memory)
    {
        bytes memory words = abi.encode(id, 0, third, DELIVERED, kind, place, value, observedAt);
        bytes memory signature = signatureBy(third, messageOf(READING, words));
        return abi.encodePacked(value, observedAt, signature);
    }

    function meets(EscrowTerms memory escrow, bytes memory evidence) private {
        uint256 before = vm.snapshotState();
        vm.prank(stranger);
        books.endByCondition(escrow, 0, listed(evidence));
        assertOutcome(escrow, 0, Outcome.Released);
        vm.revertToStateAndDelete(before);
    }

    // ---------------------------------------------------------------- attestations

    function test_takes_an_attestation_of_either_length_from_anybody() external {
        EscrowTerms memory escrow = opened(signedBy(third, DELIVERED));
        meets(escrow, attested(idOf(escrow), 0, third, NOW));
        bytes memory words = abi.encode(idOf(escrow), 0, third, DELIVERED, NOW);
        bytes memory short = compactSignatureOf(keyFor[third], messageOf(ATTESTATION, words));
        meets(escrow, abi.encodePacked(NOW, short));
    }

    function test_refuses_an_attestation_of_anything_else() external {
        EscrowTerms memory escrow = opened(signedBy(third, DELIVERED));
        bytes32 id = idOf(escrow);
        refusesProof(escrow, attested(bytes32(uint256(id) + 1), 0, third, NOW), invalid(0));
        refusesProof(escrow, attested(id, 1, third, NOW), invalid(0));
        refusesProof(escrow, attested(id, 0, seller, NOW), invalid(0));
        bytes memory words = abi.encode(id, 0, third, keccak256("lost"), NOW);
        bytes memory signature = signatureBy(third, messageOf(ATTESTATION, words));
        refusesProof(escrow, abi.encodePacked(NOW, signature), invalid(0));
        words = abi.encode(id, 0, seller, DELIVERED, NOW);
        signature = signatureBy(third, messageOf(ATTESTATION, words));
        refusesProof(escrow, abi.encodePacked(NOW, signature), invalid(0));
        // Observed a second earlier than was signed.
        words = abi.encode(id, 0, third, DELIVERED, NOW);
        signature = signatureBy(third, messageOf(ATTESTATION, words));
        refusesProof(escrow, abi.encodePacked(NOW - 1, signature), invalid(0));
    }

    function test_refuses_an_attestation_cut_short_or_too_long() external {
        EscrowTerms memory escrow = opened(signedBy(third, DELIVERED));
        bytes memory good = attested(idOf(escrow), 0, third, NOW);
        refusesProof(escrow, abi.encodePacked(good, hex"00"), invalid(0));
        for (uint256 length = 1; length < 73; ++length) {
            bytes memory cut = attested(idOf(escrow), 0, third, NOW);
            assembly ("memory-safe") {
                mstore(cut, length)
            }
            refusesProof(escrow, cut, invalid(0));
        }
    }

    function test_counts_from_the_opening_to_this_second() external {
        EscrowTerms memory escrow = opened(signedBy(third, DELIVERED));
        bytes32 id = idOf(escrow);
        uint64 openedAt = uint64(NOON + 1 hours);
        meets(escrow, attested(id, 0, third, openedAt));
        meets(escrow, attested(id, 0, third, NOW));
        refusesProof(
            escrow,
            attested(id, 0, third, openedAt - 1),
            abi.encodeWithSelector(IEscrow.EvidenceStale.selector, 0, openedAt - 1, openedAt)
        );
        refusesProof(
            escrow,
            attested(id, 0, third, NOW + 1),
            abi.encodeWithSelector(IEscrow.EvidenceFromTheFuture.selector, 0, NOW + 1, NOW)
        );
    }

    /// @dev Theft: a wallet that says yes to everything, or no to what it said yes to before.
    function test_never_asks_a_wallet_whether_it_attested() external {
        Wallet vault = wallet("vault");
        vault.become(Wallet.Mood.AgreesToAll);
        EscrowTerms memory escrow = opened(signedBy(address(vault), DELIVERED));
        refusesProof(escrow, attested(idOf(escrow), 0, address(vault), NOW), invalid(0));
    }

    function test_wants_as_many_pieces_as_the_condition_takes() external {
        EscrowTerms memory escrow = opened(
            abi.encodePacked(
                hex"1003", signedBy(third, DELIVERED), timeAt(NOW), signedBy(seller, DELIVERED)
            )
        );
        for (uint256 count = 0; count < 5; ++count) {
            if (count == 2) continue;
            bytes memory error_ = abi.encodeWithSelector(IEscrow.EvidenceCount.selector, count, 2);
            refusesToEnd(escrow, new bytes[](count), error_);
        }
        isNotMet(escrow, new bytes[](2));
        bytes memory one = attested(idOf(escrow), 0, third, NOW);
        isNotMet(escrow, listed(one, ""));
        bytes memory two = attested(idOf(escrow), 0, seller, NOW);
        refusesToEnd(escrow, listed(two, one), invalid(0));
        books.endByCondition(escrow, 0, listed(one, two));
    }

    /// @dev Whatever the others say: evidence that is brought must be good.
    function test_refuses_bad_evidence_beside_good() external {
        EscrowTerms memory escrow =
            opened(anyOf(signedBy(third, DELIVERED), signedBy(seller, DELIVERED)));
        bytes memory good = attested(idOf(escrow), 0, third, NOW);
        refusesToEnd(escrow, listed(good, attested(idOf(escrow), 1, seller, NOW)), invalid(1));
        books.endByCondition(escrow, 0, listed(good, ""));
    }

    function test_counts_once() external {
        EscrowTerms memory escrow = opened(signedBy(third, DELIVERED));
        bytes memory good = attested(idOf(escrow), 0, third, NOW);
        books.endByCondition(escrow, 0, listed(good));
        refusesProof(escrow, good, hasEnded(idOf(escrow), 0));
    }

    // ---------------------------------------------------------------- groups

    /// @dev All 256 ways to show some of eight statements, by each kind of group.
    function test_counts_what_is_met_in_groups() external {
        bytes memory leaves;
        for (uint256 k = 0; k < 8; ++k) {
            leaves = abi.encodePacked(leaves, signedBy(third, DELIVERED));
        }
        EscrowTerms memory all = opened(abi.encodePacked(hex"1008", leaves));
        EscrowTerms memory any = opened(abi.encodePacked(hex"1108", leaves));
        EscrowTerms memory five = opened(abi.encodePacked(hex"120508", leaves));
        for (uint256 shown = 0; shown < 256; ++shown) {
            uint256 count = 0;
            for (uint256 k = 0; k < 8; ++k) {
                count += shown / 2 ** k % 2;
            }
            some(all, shown, count == 8);
            some(any, shown, count != 0);
            some(five, shown, count >= 5);
        }
    }

    function some(EscrowTerms memory escrow, uint256 shown, bool met) private {
        bytes[] memory evidence = new bytes[](8);
        bytes memory good = attested(idOf(escrow), 0, third, NOW);
        for (uint256 k = 0; k < 8; ++k) {
            if (shown / 2 ** k % 2 == 1) evidence[k] = good;
        }
        if (!met) return isNotMet(escrow, evidence);
        uint256 before = vm.snapshotState();
        books.endByCondition(escrow, 0, evidence);
        vm.revertToStateAndDelete(before);
    }

    // ---------------------------------------------------------------- readings

    function test_takes_a_reading_within_its_range_ends_included() external {
        EscrowTerms memory escrow = opened(readingOf(third, 0, 7, -20, 30));
        bytes32 id = idOf(escrow);
        meets(escrow, reading(id, 0, 7, -20, NOW));
        meets(escrow, reading(id, 0, 7, 30, NOW));
        isNotMet(escrow, listed(reading(id, 0, 7, -21, NOW)));
        isNotMet(escrow, listed(reading(id, 0, 7, 31, NOW)));
        isNotMet(escrow, listed(reading(id, 0, 7, type(int128).min, NOW)));
        isNotMet(escrow, listed(""));
    }

    function test_refuses_a_reading_of_another_round_kind_escrow_or_value() external {
        EscrowTerms memory escrow = opened(readingOf(third, 0, 7, 0, 9));
        bytes32 id = idOf(escrow);
        refusesProof(escrow, reading(id, 0, 8, 5, NOW), invalid(0));
        refusesProof(escrow, reading(id, 1, 7, 5, NOW), invalid(0));
        refusesProof(escrow, reading(bytes32(uint256(id) + 1), 0, 7, 5, NOW), invalid(0));
        bytes memory other = reading(id, 0, 7, 99, NOW);
        other[15] = 0x05;
        refusesProof(escrow, other, invalid(0));
        refusesProof(escrow, new bytes(23), invalid(0));
    }

    function test_refuses_a_reading_of_another_instant_than_the_terms_fix() external {
        uint64 fixed_ = OPEN_BY + 60;
        EscrowTerms memory escrow = opened(readingOf(third, 1, fixed_, 0, 9));
        bytes32 id = idOf(escrow);
        bytes4 error_ = IEscrow.ReadingOfAnotherRound.selector;
        bytes memory early = reading(id, 1, fixed_, 5, fixed_ - 1);
        refusesProof(escrow, early, abi.encodeWithSelector(error_, 0, fixed_ - 1, fixed_));
        bytes memory exact = reading(id, 1, fixed_, 5, fixed_);
        bytes memory future =
            abi.encodeWithSelector(IEscrow.EvidenceFromTheFuture.selector, 0, fixed_, NOW);
        refusesProof(escrow, exact, future);
        vm.warp(fixed_);
        meets(escrow, exact);
    }

    function test_refuses_a_stale_reading() external {
        EscrowTerms memory escrow = opened(readingOf(third, 0, 7, 0, 9));
        uint64 openedAt = uint64(NOON + 1 hours);
        bytes memory error_ =
            abi.encodeWithSelector(IEscrow.EvidenceStale.selector, 0, openedAt - 1, openedAt);
        refusesProof(escrow, reading(idOf(escrow), 0, 7, 5, openedAt - 1), error_);
        meets(escrow, reading(idOf(escrow), 0, 7, 5, openedAt));
    }

    // ---------------------------------------------------------------- secrets

    function test_takes_the_secret_from_anybody_and_no_other() external {
        bytes32 secret = keccak256("secret");
        EscrowTerms memory escrow = opened(secretOf(secret));
        bytes memory wrong = abi.encodePacked(keccak256("wrong"));
        refusesProof(escrow, wrong, abi.encodeWithSelector(IEscrow.PreimageWrong.selector, 0));
        isNotMet(escrow, listed(""));
        meets(escrow, abi.encodePacked(secret));
    }

    function test_refuses_a_secret_of_another_length() external {
        EscrowTerms memory escrow = opened(secretOf(keccak256("secret")));
        for (uint256 length = 1; length < 66; ++length) {
            if (length == 32) continue;
            bytes memory error_ = abi.encodeWithSelector(IEscrow.PreimageLength.selector, 0, length);
            refusesProof(escrow, new bytes(length), error_);
        }
    }
}
