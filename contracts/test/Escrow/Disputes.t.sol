// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EndedBy, EscrowTerms, IEscrow, Outcome, Ruling} from "../../src/interfaces/IEscrow.sol";
import {ILedger} from "../../src/interfaces/ILedger.sol";
import {EscrowActs} from "../support/EscrowActs.sol";
import {Wallet} from "../support/Wallet.sol";

/// @notice Disputes, the time that they give, and the rulings that end them.
contract DisputesTest is EscrowActs {
    uint64 private constant MOVED = DEADLINE + ANSWER + LAST_WORD;
    uint64 private constant PANEL_UNTIL = DEADLINE + ANSWER;

    function disputed() private returns (EscrowTerms memory escrow) {
        escrow = withPanel(delivery());
        open(escrow);
        vm.warp(NOON + 10 days);
        dispute(escrow, 0, buyer);
        elapse(1);
    }

    function over(uint256 deadline) private view returns (bytes memory) {
        uint256 now_ = vm.getBlockTimestamp();
        return abi.encodeWithSelector(ILedger.DeadlinePassed.selector, deadline, now_);
    }

    function bad(address account) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ILedger.SignatureInvalid.selector, account);
    }

    function ruling(EscrowTerms memory escrow, uint128[] memory paid, Ruling[] memory list)
        private
        view
        returns (bytes memory)
    {
        return abi.encodeCall(books.endByRuling, (escrow, 0, paid, list));
    }

    function alone(EscrowTerms memory escrow, uint128[] memory paid)
        private
        view
        returns (Ruling[] memory list)
    {
        list = new Ruling[](1);
        list[0] = rulingBy(idOf(escrow), 0, FALLBACK, paid);
    }

    // ---------------------------------------------------------------- opening a dispute

    function test_refuses_a_dispute_where_there_is_no_panel_or_a_hash_lock() external {
        EscrowTerms memory escrow = delivery();
        bytes32 id = open(escrow);
        bytes4 error_ = IEscrow.DisputeNotAllowed.selector;
        bytes memory call_ = disputing(escrow, 0, buyer);
        assertReverts(buyer, call_, abi.encodeWithSelector(error_, id, 0));
        // The lock stands in the third; the second is asked by it, the first by the second.
        bytes memory program = abi.encodePacked(
            NEVER, outcomeIs(0, 1), anyOf(outcomeIs(1, 1), secretOf("secret")), outcomeIs(0, 1)
        );
        escrow = withPanel(escrowOf(4, program));
        id = open(escrow);
        for (uint256 m = 0; m < 3; ++m) {
            call_ = disputing(escrow, m, buyer);
            assertReverts(buyer, call_, abi.encodeWithSelector(error_, id, m));
        }
        dispute(escrow, 3, buyer);
    }

    function test_refuses_a_dispute_from_the_deadline_on() external {
        EscrowTerms memory escrow = withPanel(delivery());
        open(escrow);
        vm.warp(DEADLINE);
        bytes memory call_ = disputing(escrow, 0, buyer);
        assertReverts(buyer, call_, over(DEADLINE));
        vm.warp(DEADLINE - 1);
        dispute(escrow, 0, buyer);
    }

    function test_refuses_a_dispute_of_strangers_of_others_or_from_validBy_on() external {
        EscrowTerms memory escrow = withPanel(delivery());
        bytes32 id = open(escrow);
        address[3] memory strangers = [stranger, third, panel[0]];
        for (uint256 k = 0; k < 3; ++k) {
            bytes memory error_ = abi.encodeWithSelector(IEscrow.NotAParty.selector, strangers[k]);
            assertReverts(strangers[k], disputing(escrow, 0, strangers[k]), error_);
        }
        bytes memory signature = disputeBy(id, 0, buyer, uint64(NOON));
        bytes memory call_ = abi.encodeCall(
            books.openDispute, (escrow, 0, buyer, keccak256("file"), uint64(NOON), signature)
        );
        assertReverts(seller, call_, over(NOON));
        signature = disputeBy(id, 0, seller, type(uint64).max);
        call_ = abi.encodeCall(
            books.openDispute, (escrow, 0, buyer, keccak256("file"), type(uint64).max, signature)
        );
        assertReverts(seller, call_, bad(buyer));
        signature = disputeBy(id, 0, buyer, type(uint64).max);
        call_ = abi.encodeCall(
            books.openDispute, (escrow, 0, buyer, keccak256("other"), type(uint64).max, signature)
        );
        assertReverts(seller, call_, bad(buyer));
        call_ = abi.encodeCall(books.openDispute, (escrow, 0, buyer, 0, type(uint64).max, ""));
        assertReverts(seller, call_, bad(buyer));
        vm.prank(buyer);
        books.openDispute(escrow, 0, buyer, 0, uint64(NOON + 1), "");
    }

    function test_asks_the_panel_once_and_tells_the_hash_of_the_evidence() external {
        EscrowTerms memory escrow = withPanel(delivery());
        bytes32 id = open(escrow);
        elapse(60);
        vm.expectEmit(address(books));
        emit IEscrow.DisputeOpened(id, 0, seller, keccak256("file"));
        dispute(escrow, 0, seller);
        bytes memory error_ = abi.encodeWithSelector(IEscrow.DisputedBefore.selector, id, 0);
        assertReverts(buyer, disputing(escrow, 0, buyer), error_);
        (,, uint8 bits) = books.escrowState(id);
        assertEq(bits, 1);
    }

    // ---------------------------------------------------------------- the time it gives

    function test_moves_the_deadline_by_all_the_time_for_rulings() external {
        EscrowTerms memory escrow = disputed();
        bytes[] memory evidence = proof(escrow);
        vm.warp(MOVED - 1);
        bytes memory error_ =
            abi.encodeWithSelector(IEscrow.TooEarlyForDefault.selector, MOVED, MOVED - 1);
        assertReverts(stranger, abi.encodeCall(books.endByDefault, (escrow, 0)), error_);
        uint256 before = vm.snapshotState();
        books.endByCondition(escrow, 0, evidence);
        vm.revertToStateAndDelete(before);
        vm.warp(MOVED);
        refusesToEnd(escrow, evidence, over(MOVED));
        vm.expectEmit(address(books));
        emit IEscrow.MilestoneEnded(
            idOf(escrow), 0, EndedBy.Silence, Outcome.Split, false, paying(UNRULED)
        );
        lapse(escrow, 0);
    }

    /// @dev An instant that was reached before the dispute stays reached; one that was not moves with it.
    function test_moves_instants_that_were_not_reached() external {
        uint64 instant = uint64(NOON + 12 days);
        for (uint256 late = 0; late < 2; ++late) {
            vm.warp(NOON);
            EscrowTerms memory escrow = withPanel(escrowOf(timeAt(instant)));
            escrow.salt = bytes32(late);
            open(escrow);
            vm.warp(late == 1 ? instant : instant - 1);
            dispute(escrow, 0, buyer);
            vm.warp(instant);
            if (late == 0) {
                isNotMet(escrow, nothing);
                vm.warp(instant + ANSWER + LAST_WORD - 1);
                isNotMet(escrow, nothing);
                elapse(1);
            }
            books.endByCondition(escrow, 0, nothing);
        }
    }

    function test_moves_the_deadlines_of_those_that_hang_on_it_and_no_others() external {
        bytes memory program = abi.encodePacked(NEVER, outcomeIs(0, 1), NEVER, outcomeIs(1, 1));
        EscrowTerms memory escrow = withPanel(escrowOf(4, program));
        open(escrow);
        dispute(escrow, 0, buyer);
        uint64 shift = ANSWER + LAST_WORD;
        for (uint256 m = 0; m < 4; ++m) {
            uint256 deadline = escrow.deadlines[m] + (m == 2 ? 0 : shift);
            assertEq(nowOf(escrow, m).deadline, deadline, "deadline");
        }
        // Twice, where both were disputed; a dispute of a dependant moves nothing above it.
        elapse(1 days);
        dispute(escrow, 1, seller);
        assertEq(nowOf(escrow, 0).deadline, escrow.deadlines[0] + shift);
        assertEq(nowOf(escrow, 1).deadline, escrow.deadlines[1] + 2 * shift);
        assertEq(nowOf(escrow, 3).deadline, escrow.deadlines[3] + 2 * shift);
    }

    // ---------------------------------------------------------------- rulings

    function test_refuses_a_ruling_without_a_dispute_or_in_its_own_second() external {
        EscrowTerms memory escrow = withPanel(delivery());
        bytes32 id = open(escrow);
        Ruling[] memory list = rulings(id, 0, 0, 1, paying(9));
        bytes memory call_ = ruling(escrow, paying(9), list);
        bytes memory error_ = abi.encodeWithSelector(IEscrow.NotDisputed.selector, id, 0);
        assertReverts(stranger, call_, error_);
        dispute(escrow, 0, buyer);
        error_ = abi.encodeWithSelector(IEscrow.RulingTooEarly.selector, NOON + 1, NOON);
        assertReverts(stranger, call_, error_);
        assertReverts(stranger, ruling(escrow, paying(9), alone(escrow, paying(9))), error_);
    }

    function test_refuses_strangers_the_same_arbiter_twice_and_too_few() external {
        EscrowTerms memory escrow = disputed();
        bytes32 id = idOf(escrow);
        uint128[] memory paid = paying(9);
        Ruling[] memory list = new Ruling[](1);
        list[0] = rulingBy(id, 0, 0, paid);
        bytes memory error_ = abi.encodeWithSelector(IEscrow.QuorumMissing.selector, 1, 2);
        assertReverts(stranger, ruling(escrow, paid, list), error_);
        error_ = abi.encodeWithSelector(IEscrow.QuorumMissing.selector, 0, 2);
        assertReverts(stranger, ruling(escrow, paid, new Ruling[](0)), error_);
        list = rulings(id, 0, 1, 1, paid);
        error_ = abi.encodeWithSelector(IEscrow.ArbiterTwice.selector, 1);
        assertReverts(stranger, ruling(escrow, paid, list), error_);
        list = rulings(id, 0, 2, 0, paid);
        error_ = abi.encodeWithSelector(IEscrow.ArbiterTwice.selector, 0);
        assertReverts(stranger, ruling(escrow, paid, list), error_);
        list = rulings(id, 0, 0, FALLBACK, paid);
        error_ = abi.encodeWithSelector(IEscrow.ArbiterUnknown.selector, FALLBACK);
        assertReverts(stranger, ruling(escrow, paid, list), error_);
        list = rulings(id, 0, 0, 1, paid);
        list[1].arbiter = 3;
        error_ = abi.encodeWithSelector(IEscrow.ArbiterUnknown.selector, 3);
        assertReverts(stranger, ruling(escrow, paid, list), error_);
        list = rulings(id, 0, 0, 1, paid);
        list[1].arbiter = 2;
        assertReverts(stranger, ruling(escrow, paid, list), bad(panel[2]));
        list[1] = list[0];
        list[1].arbiter = 1;
        assertReverts(stranger, ruling(escrow, paid, list), bad(panel[1]));
    }

    function test_refuses_rulings_over_other_amounts_reasons_milestones_or_from_validBy_on()
        external
    {
        EscrowTerms memory escrow = disputed();
        bytes32 id = idOf(escrow);
        bytes memory call_ = ruling(escrow, paying(10), rulings(id, 0, 0, 1, paying(9)));
        assertReverts(stranger, call_, bad(panel[0]));
        call_ = ruling(escrow, paying(9), rulings(id, 1, 0, 1, paying(9)));
        assertReverts(stranger, call_, bad(panel[0]));
        Ruling[] memory list = rulings(id, 0, 0, 1, paying(9));
        list[1].reason = "GOOD";
        assertReverts(stranger, ruling(escrow, paying(9), list), bad(panel[1]));
        list = rulings(id, 0, 0, 1, paying(9));
        list[1].validBy = uint64(vm.getBlockTimestamp());
        assertReverts(stranger, ruling(escrow, paying(9), list), over(list[1].validBy));
        list[1].validBy += 1;
        assertReverts(stranger, ruling(escrow, paying(9), list), bad(panel[1]));
        list = rulings(id, 0, 0, 1, paying(9));
        // The caller's own place may not stay empty.
        list[1].signature = "";
        assertReverts(panel[1], ruling(escrow, paying(9), list), bad(panel[1]));
        list = rulings(id, 0, 0, 1, paying(SUM + 1));
        bytes memory error_ =
            abi.encodeWithSelector(IEscrow.SplitDoesNotSum.selector, 0, SUM + 1, SUM);
        assertReverts(stranger, ruling(escrow, paying(SUM + 1), list), error_);
    }

    function test_lets_the_panel_rule_until_the_fallbacks_turn_and_not_after() external {
        EscrowTerms memory escrow = disputed();
        uint128[] memory paid = paying(300);
        bytes memory panels = ruling(escrow, paid, rulings(idOf(escrow), 0, 0, 2, paid));
        bytes memory fallbacks = ruling(escrow, paid, alone(escrow, paid));
        vm.warp(PANEL_UNTIL - 1);
        bytes memory error_ =
            abi.encodeWithSelector(IEscrow.RulingTooEarly.selector, PANEL_UNTIL, PANEL_UNTIL - 1);
        assertReverts(lastArbiter, fallbacks, error_);
        uint256 before = vm.snapshotState();
        vm.expectEmit(address(books));
        emit IEscrow.MilestoneEnded(idOf(escrow), 0, EndedBy.Panel, Outcome.Split, false, paid);
        vm.expectEmit(address(books));
        emit IEscrow.Ruled(idOf(escrow), 0, panel[0], "LATE");
        vm.expectEmit(address(books));
        emit IEscrow.Ruled(idOf(escrow), 0, panel[2], "LATE");
        rule(escrow, 0, paid);
        assertHolds(seller, EURO, 300, 0);
        assertHolds(buyer, EURO, 100_000 - 300, 0);
        vm.revertToStateAndDelete(before);
        vm.warp(PANEL_UNTIL);
        assertReverts(stranger, panels, over(PANEL_UNTIL));
        before = vm.snapshotState();
        ruleAlone(escrow, 0, paid);
        assertHolds(seller, EURO, 300, 0);
        vm.revertToStateAndDelete(before);
        vm.warp(MOVED);
        assertReverts(lastArbiter, fallbacks, over(MOVED));
        assertReverts(stranger, panels, over(PANEL_UNTIL));
    }

    /// @dev Theft: who gains by the clock waits in silence until an instant of the condition comes first.
    function test_gives_both_their_turn_before_an_instant_of_the_condition() external {
        uint64 instant = uint64(NOON + 20 days);
        EscrowTerms memory escrow = withPanel(escrowOf(timeAt(instant)));
        open(escrow);
        vm.warp(NOON + 10 days);
        dispute(escrow, 0, buyer);
        uint64 first = instant + ANSWER + LAST_WORD;
        assertEq(nowOf(escrow, 0).until, first - LAST_WORD);
        uint128[] memory paid = paying(0);
        Ruling[] memory own = alone(escrow, paid);
        vm.warp(first - LAST_WORD);
        isNotMet(escrow, nothing);
        assertReverts(
            stranger,
            ruling(escrow, paid, rulings(idOf(escrow), 0, 0, 2, paid)),
            over(first - LAST_WORD)
        );
        books.endByRuling(escrow, 0, paid, own);
    }

    function test_lets_a_panel_without_fallback_rule_until_the_deadline() external {
        EscrowTerms memory escrow = withPanel(delivery());
        escrow.fallbackArbiter = address(0);
        escrow.fallbackTime = 0;
        open(escrow);
        dispute(escrow, 0, buyer);
        vm.warp(DEADLINE + ANSWER - 1);
        uint128[] memory paid = paying(0);
        bytes memory error_ = abi.encodeWithSelector(IEscrow.ArbiterUnknown.selector, FALLBACK);
        assertReverts(lastArbiter, ruling(escrow, paid, alone(escrow, paid)), error_);
        rule(escrow, 0, paid);
    }

    function test_takes_a_wallets_ruling_that_calls_back_once() external {
        Wallet judge = wallet("judge");
        EscrowTerms memory escrow = withPanel(delivery());
        escrow.arbiters[1] = address(judge);
        bytes32 id = open(escrow);
        dispute(escrow, 0, buyer);
        elapse(1);
        Ruling[] memory list = rulings(id, 0, 0, 1, paying(SUM));
        bytes memory call_ = ruling(escrow, paying(SUM), list);
        assertReverts(stranger, call_, bad(address(judge)));
        judge.plan(address(books), call_);
        books.endByRuling(escrow, 0, paying(SUM), list);
        assertHolds(seller, EURO, SUM, 0);
        assertHolds(buyer, EURO, 100_000 - SUM, 0);
    }
}
