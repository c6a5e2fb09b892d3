// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    EscrowTerms,
    MIN_STEP,
    MilestoneNow,
    MilestoneState,
    Ruling,
    WAY_DISPUTE,
    WAY_GIVE_UP,
    WAY_PAY_OUT
} from "../../src/interfaces/IEscrow.sol";
import {Instruction, Standing} from "../../src/interfaces/Types.sol";
import {Chance} from "../support/Chance.sol";
import {Wallet} from "../support/Wallet.sol";
import {EscrowLedger} from "./EscrowLedger.sol";

/// @notice Escrows at random among three honest parties, a forger and a griefer, while freezes come and go.
/// No act here may revert: what is refused is attempted, and `whatNow` must have said so.
contract EscrowFloor is EscrowLedger, Chance {
    uint256 private constant MAX_DEALS = 25;
    uint8 private constant SIGNED = 1;
    uint8 private constant SIGNED_OR_TIME = 4;
    uint8 private constant SECRET = 5;

    uint64 private _nonce;

    constructor() {
        setUp();
        vault = wallet("vault");
        griefer = wallet("griefer");
        forger = admitted("forger");
        parties = [seller, buyer, address(vault), forger, address(griefer)];
        for (uint256 k = 0; k < 5; ++k) {
            for (uint32 asset = BOND; asset <= ASSETS; ++asset) {
                give(parties[k], asset, 5000);
                owned[parties[k]][asset] = available(parties[k], asset);
            }
        }
    }

    // ---------------------------------------------------------------- chance

    /// @dev Some milestone of some escrow, one that is open if the next ones have any.
    function pick(uint256 seed)
        private
        returns (uint256 index, EscrowTerms memory escrow, uint256 m, uint256 ways)
    {
        seedOfAct = seed;
        if (deals.length == 0) propose(seed);
        index = roll(deals.length);
        for (uint256 k = 0; k < deals.length && !deals[index].opened; ++k) {
            index = (index + 1) % deals.length;
        }
        touched = index;
        escrow = termsOf(index);
        m = roll(escrow.deadlines.length);
        ways = books.whatNow(escrow)[m].ways;
    }

    // ---------------------------------------------------------------- proposing and opening

    /// @notice Somebody draws up terms; each honest party signs, or withholds its signature.
    function propose(uint256 seed) public {
        seedOfAct = seed;
        if (deals.length == MAX_DEALS) return;
        Deal storage deal = deals.push();
        uint256 count = 1 + roll(3);
        EscrowTerms memory escrow = escrowOf(count, "");
        delete escrow.lines;
        escrow.openBy = uint64(vm.getBlockTimestamp() + 1 + roll(4 days));
        for (uint256 m = 0; m < count; ++m) {
            uint64 before = m == 0 ? escrow.openBy : escrow.deadlines[m - 1];
            escrow.deadlines[m] = uint64(before + MIN_STEP + roll(10 days));
            _addLines(escrow, m);
            deal.kinds[m] = uint8(roll(m == 0 ? 4 : 6));
            if (deal.kinds[m] == 3) deal.kinds[m] = SIGNED_OR_TIME;
            else if (deal.kinds[m] == 5) deal.kinds[m] = 3;
            if (m == 0 && roll(5) == 0 && _isAlone(escrow, m)) deal.kinds[m] = SECRET;
            bytes memory condition = _condition(escrow, m, deal.kinds[m]);
            escrow.program = abi.encodePacked(escrow.program, condition);
        }
        escrow.salt = bytes32(deals.length);
        if (roll(3) != 0) escrow = withPanel(escrow);
        deal.terms = abi.encode(escrow);
        deal.id = idOf(escrow);
        deal.agreed = true;
        address[] memory signers = signersOf(escrow);
        for (uint256 k = 0; k < signers.length; ++k) {
            bool signs = !isHonest(signers[k]) || roll(40) != 0;
            if (!signs) deal.agreed = false;
            deal.signatures.push(signs ? signatureBy(signers[k], deal.id) : bytes(""));
        }
    }

    function _addLines(EscrowTerms memory escrow, uint256 m) private {
        uint256 count = 1 + roll(2);
        for (uint256 k = 0; k < count; ++k) {
            uint256 from = roll(5);
            address to = parties[(from + 1 + roll(4)) % 5];
            uint128 quantity = uint128(1 + roll(400));
            uint32 asset = uint32(1 + roll(ASSETS));
            addLine(escrow, lineOf(uint8(m), asset, parties[from], to, quantity));
            uint256 last = escrow.lines.length - 1;
            escrow.lines[last].ifMet = uint128(roll(3) == 0 ? roll(quantity + 1) : quantity);
            escrow.lines[last].byDefault = uint128(roll(2) == 0 ? roll(quantity + 1) : 0);
        }
    }

    function _isAlone(EscrowTerms memory escrow, uint256 m) private pure returns (bool) {
        (uint256 first, uint256 count) = linesOf(escrow, m);
        return count == 1 || escrow.lines[first].depositor == escrow.lines[first + 1].depositor;
    }

    /// @dev 0 never, 1 signed, 2 time, 3 another's outcome, 4 signed or time, 5 a secret.
    function _condition(EscrowTerms memory escrow, uint256 m, uint8 kind)
        private
        returns (bytes memory)
    {
        bytes memory time = timeAt(uint64(escrow.deadlines[m] - MIN_STEP - roll(1 days)));
        if (kind == 0) return NEVER;
        if (kind == SIGNED) return signedBy(third, DELIVERED);
        if (kind == 2) return time;
        if (kind == 3) return outcomeIs(uint8(roll(m)), uint8(1 + roll(6)));
        if (kind == SIGNED_OR_TIME) return anyOf(signedBy(third, DELIVERED), time);
        return secretOf(bytes32(m));
    }

    function openAny(uint256 seed) external {
        seedOfAct = seed;
        if (deals.length == 0) propose(seed);
        // One of the last, whose openBy is not over, or any.
        uint256 index = deals.length - 1 - roll(roll(4) == 0 ? deals.length : 1);
        touched = index;
        EscrowTerms memory escrow = termsOf(index);
        bytes[] memory signatures = deals[index].signatures;
        if (attempt(stranger, abi.encodeCall(books.openEscrow, (escrow, signatures)))) {
            assertLt(vm.getBlockTimestamp(), escrow.openBy, "L7: in its window");
            opened(index, escrow);
        }
    }

    function withdraw(uint256 seed) external {
        seedOfAct = seed;
        if (deals.length == 0) propose(seed);
        if (roll(4) != 0) return;
        uint256 index = roll(deals.length);
        touched = index;
        EscrowTerms memory escrow = termsOf(index);
        address[] memory signers = signersOf(escrow);
        address who = signers[roll(signers.length)];
        bytes memory call_ = abi.encodeCall(books.withdrawFromEscrow, (escrow, who, ""));
        if (attempt(who, call_)) {
            assertFalse(deals[index].opened, "only before the opening");
            deals[index].agreed = false;
        }
    }

    // ---------------------------------------------------------------- ends

    function isTold(uint256 ways, uint256 way) private pure returns (bool) {
        return ways / 2 ** way % 2 == 1;
    }

    /// @notice By condition: only where whatNow says so; with a good attestation always where it says so.
    function meet(uint256 seed) external {
        (uint256 index, EscrowTerms memory escrow, uint256 m, uint256 ways) = pick(seed);
        uint8 kind = deals[index].kinds[m];
        uint64 now_ = uint64(vm.getBlockTimestamp());
        bytes[] memory evidence = nothing;
        if (kind == SECRET) evidence = listed(abi.encodePacked(bytes32(m)));
        if (kind == SIGNED || kind == SIGNED_OR_TIME) {
            evidence = listed(attested(deals[index].id, m, third, now_));
        }
        bool success =
            attempt(stranger, abi.encodeCall(books.endByCondition, (escrow, m, evidence)));
        bool sure = kind == SIGNED || kind == SIGNED_OR_TIME || kind == SECRET;
        if (success || sure) assertEq(success, isTold(ways, 1), "L6: by condition");
        if (success) ended(index, escrow, m, 1, stated(escrow, m, 1));
    }

    function agreeOn(uint256 seed) external {
        (uint256 index, EscrowTerms memory escrow, uint256 m, uint256 ways) = pick(seed);
        if (roll(3) != 0) return;
        uint128[] memory paid = _anyAmounts(escrow, m);
        address[] memory accounts = _concerned(index, escrow, m);
        bytes[] memory list = splits(deals[index].id, m, accounts, paid);
        bytes memory call_ =
            abi.encodeCall(books.endByAgreement, (escrow, m, paid, type(uint64).max, list));
        if (isHonest(accounts[0])) {
            list[0] = signatureBy(forger, deals[index].id);
            bytes memory forged =
                abi.encodeCall(books.endByAgreement, (escrow, m, paid, type(uint64).max, list));
            assertFalse(attempt(forger, forged), "L3: forged agreement");
        }
        bool success = attempt(stranger, call_);
        if (success || _isWord(accounts)) assertEq(success, isTold(ways, 0), "L6: by agreement");
        if (success) ended(index, escrow, m, 0, paid);
    }

    /// @dev Whether their signatures count for sure: the griefer's word is worth what it likes.
    function _isWord(address[] memory accounts) private view returns (bool) {
        for (uint256 k = 0; k < accounts.length; ++k) {
            if (accounts[k] == address(griefer)) return false;
        }
        return true;
    }

    /// @dev Conditions of kind 3 name one milestone below, by the byte behind their opcode.
    function _concerned(uint256 index, EscrowTerms memory escrow, uint256 m)
        private
        view
        returns (address[] memory)
    {
        uint256 touched = 2 ** m;
        uint256 place = 0;
        for (uint256 k = 0; k < escrow.deadlines.length; ++k) {
            uint8 kind = deals[index].kinds[k];
            uint256 named = kind == 3 ? uint8(escrow.program[place + 1]) : 8;
            if (k > m && touched / 2 ** named % 2 == 1) touched += 2 ** k;
            uint8[6] memory sizes = [1, 53, 9, 3, 64, 33];
            place += sizes[kind];
        }
        return partiesOf(escrow, touched);
    }

    function _anyAmounts(EscrowTerms memory escrow, uint256 m)
        private
        returns (uint128[] memory paid)
    {
        (uint256 first, uint256 count) = linesOf(escrow, m);
        paid = new uint128[](count);
        for (uint256 k = 0; k < count; ++k) {
            paid[k] = uint128(roll(escrow.lines[first + k].quantity + 1));
        }
    }

    function disputeAny(uint256 seed) external {
        (, EscrowTerms memory escrow, uint256 m, uint256 ways) = pick(seed);
        if (ways & WAY_DISPUTE == 0 && roll(2) == 0) (, escrow, m, ways) = pick(seedOfAct);
        address[] memory both = partiesOf(escrow, 2 ** m);
        address who = both[roll(both.length)];
        bool success = attempt(stranger, disputing(escrow, m, who));
        bool told = ways & WAY_DISPUTE != 0;
        if (success || who != address(griefer)) assertEq(success, told, "L6: dispute");
    }

    function ruleAny(uint256 seed) external {
        (uint256 index, EscrowTerms memory escrow, uint256 m, uint256 ways) = pick(seed);
        if (escrow.arbiters.length == 0) return;
        uint128[] memory paid = _anyAmounts(escrow, m);
        bool alone = isTold(ways, 3) ? roll(4) != 0 : roll(4) == 0;
        Ruling[] memory list;
        if (alone) {
            list = new Ruling[](1);
            list[0] = rulingBy(deals[index].id, m, FALLBACK, paid);
        } else {
            list = rulings(deals[index].id, m, 0, 1, paid);
        }
        bytes memory good = list[0].signature;
        list[0].signature = signatureBy(forger, deals[index].id);
        bytes memory forged = abi.encodeCall(books.endByRuling, (escrow, m, paid, list));
        assertFalse(attempt(forger, forged), "L3: forged ruling");
        list[0].signature = good;
        bool success = attempt(stranger, abi.encodeCall(books.endByRuling, (escrow, m, paid, list)));
        assertEq(success, isTold(ways, alone ? 3 : 2), "L6: ruling");
        if (success) ended(index, escrow, m, alone ? 3 : 2, paid);
    }

    function lapseAny(uint256 seed) external {
        (uint256 index, EscrowTerms memory escrow, uint256 m, uint256 ways) = pick(seed);
        // Less often, so that the others have their chance.
        if (roll(2) == 0) return;
        bool success = attempt(stranger, abi.encodeCall(books.endByDefault, (escrow, m)));
        assertEq(success, isTold(ways, 4) || isTold(ways, 5), "L6: default");
        uint256 way = isTold(ways, 4) ? 4 : 5;
        if (success) ended(index, escrow, m, way, stated(escrow, m, way));
    }

    // ---------------------------------------------------------------- what waits

    function payOutAny(uint256 seed) external {
        (uint256 index, EscrowTerms memory escrow, uint256 m, uint256 ways) = pick(seed);
        uint128[] memory paid = waiting[index][m];
        if (paid.length == 0) return;
        assertTrue(ways & WAY_PAY_OUT != 0, "L6: waits");
        if (!attempt(stranger, abi.encodeCall(books.payOut, (escrow, m, paid)))) return;
        (uint256 first,) = linesOf(escrow, m);
        for (uint256 k = 0; k < paid.length; ++k) {
            assertFalse(paid[k] != 0 && isStopped(escrow.lines[first + k]), "not behind a freeze");
        }
        ++payOuts;
        paidOut(index, escrow, m, paid);
    }

    function giveUpAny(uint256 seed) external {
        (uint256 index, EscrowTerms memory escrow, uint256 m, uint256 ways) = pick(seed);
        uint128[] memory paid = waiting[index][m];
        if (paid.length == 0) return;
        address who = parties[roll(5)];
        if (!attempt(who, abi.encodeCall(books.giveUpPayments, (escrow, m, paid)))) return;
        assertTrue(isOver(index, m) && ways & WAY_GIVE_UP != 0, "L6, L7: not before");
        givenUp(index, escrow, m);
    }

    // ---------------------------------------------------------------- the hostile ones

    /// @notice Alters terms, signs for others, brings other amounts: none of it goes through.
    function forgeAnything(uint256 seed) external {
        (uint256 index, EscrowTerms memory escrow, uint256 m,) = pick(seed);
        bytes32 id = deals[index].id;
        bytes[] memory list = new bytes[](1);
        list[0] = abi.encodePacked(uint64(vm.getBlockTimestamp()), signatureBy(forger, id));
        bytes memory call_ = abi.encodeCall(books.endByCondition, (escrow, m, list));
        assertFalse(attempt(forger, call_), "L3: forged evidence");
        uint256 kind = roll(4);
        uint256 k = roll(escrow.lines.length);
        if (kind == 0) escrow.lines[k].quantity += 1;
        if (kind == 1) escrow.lines[k].byDefault += 1;
        if (kind == 2) escrow.deadlines[m] -= 1;
        if (kind == 3) escrow.salt = bytes32(uint256(escrow.salt) ^ (1 << 200));
        call_ = abi.encodeCall(books.endByDefault, (escrow, m));
        assertFalse(attempt(forger, call_), "L3: other terms");
        call_ = abi.encodeCall(books.openEscrow, (escrow, deals[index].signatures));
        assertFalse(attempt(forger, call_), "L3: forged terms");
    }

    /// @notice A wallet that lies, burns and calls back while it is asked.
    function grieve(uint256 seed) external {
        (uint256 index, EscrowTerms memory escrow,,) = pick(seed);
        uint256 kind = roll(4);
        if (kind == 0) griefer.become(Wallet.Mood.AgreesToAll);
        if (kind == 1) griefer.become(Wallet.Mood(roll(10)));
        bytes[] memory signatures = deals[index].signatures;
        bytes memory call_ = abi.encodeCall(books.openEscrow, (escrow, signatures));
        if (kind == 2) griefer.plan(address(books), call_);
        if (kind == 3) griefer.become(Wallet.Mood.Honest);
    }

    // ---------------------------------------------------------------- the world

    function pass(uint256 seed) external {
        vm.warp(vm.getBlockTimestamp() + seed % 1 days);
    }

    /// @notice To the very second at which a milestone's state ends by itself, or the one before.
    function reach(uint256 seed) external {
        (, EscrowTerms memory escrow, uint256 m,) = pick(seed);
        MilestoneNow memory told = nowOf(escrow, m);
        bool isDisputed = told.state >= MilestoneState.BeforePanel;
        if (roll(isDisputed ? 2 : 8) != 0) return;
        uint256 instant = told.until == 0 ? 0 : told.until - roll(2);
        if (instant > vm.getBlockTimestamp()) vm.warp(instant);
    }

    /// @notice A trade of what is free; what is held cannot be sold.
    function trade(uint256 seed) external {
        seedOfAct = seed;
        (uint256 from, uint32 asset) = (roll(3), uint32(1 + roll(ASSETS)));
        address to = parties[(from + 1 + roll(4)) % 5];
        Instruction memory one = terms(parties[from], ++_nonce, 1);
        one.settleFrom = uint64(vm.getBlockTimestamp());
        one.settleBy = one.settleFrom + 1 days;
        one.legs[0] = leg(asset, parties[from], to, uint128(1 + roll(6000)));
        bytes[] memory signatures = signed(one);
        uint256 free = available(parties[from], asset);
        if (!attempt(stranger, abi.encodeCall(books.settle, (one, signatures)))) return;
        assertLe(one.legs[0].quantity, free, "L3: what is held is not sold");
        owned[parties[from]][asset] -= one.legs[0].quantity;
        owned[to][asset] += one.legs[0].quantity;
    }

    /// @notice Freezes and suspends for a while.
    function govern(uint256 seed) external {
        seedOfAct = seed;
        uint256 kind = roll(6);
        address party = parties[roll(5)];
        if (kind == 0) books.setStanding(party, Standing.Suspended, 0);
        if (kind == 1) books.freezeAccount(party, true, "TEST");
        if (kind == 2) books.freezeAsset(uint32(1 + roll(ASSETS)), true, "TEST");
        if (kind < 3) return;
        for (uint256 k = 0; k < 5; ++k) {
            books.setStanding(parties[k], Standing.Admitted, 0);
            books.freezeAccount(parties[k], false, "TEST");
        }
        for (uint32 asset = BOND; asset <= ASSETS; ++asset) {
            books.freezeAsset(asset, false, "TEST");
        }
    }
}
