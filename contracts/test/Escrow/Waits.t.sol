// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    EscrowTerms,
    IEscrow,
    MAX_WAIT,
    MilestoneNow,
    MilestoneState,
    Outcome,
    WAY_GIVE_UP,
    WAY_PAY_OUT
} from "../../src/interfaces/IEscrow.sol";
import {EscrowActs} from "../support/EscrowActs.sol";

/// @notice An outcome is fixed whatever is frozen; its payments wait for the end of the freeze.
contract WaitsTest is EscrowActs {
    uint128[] private all;

    function setUp() public override {
        super.setUp();
        all = paying(SUM, 30);
    }

    /// @dev Euros against bonds, delivered while the bonds' owner is frozen.
    function waiting() private returns (EscrowTerms memory escrow) {
        escrow = delivery();
        addLine(escrow, lineOf(0, BOND, seller, buyer, 30));
        open(escrow);
        books.freezeAccount(seller, true, "TEST");
        deliver(escrow);
    }

    function frozen(EscrowTerms memory escrow) private view returns (bytes memory) {
        return abi.encodeWithSelector(IEscrow.PaymentsFrozen.selector, idOf(escrow), 0);
    }

    function none(EscrowTerms memory escrow) private view returns (bytes memory) {
        return abi.encodeWithSelector(IEscrow.NothingWaits.selector, idOf(escrow), 0);
    }

    function paysOut(EscrowTerms memory escrow) private view returns (bytes memory) {
        return abi.encodeCall(books.payOut, (escrow, 0, all));
    }

    function givesUp(EscrowTerms memory escrow) private view returns (bytes memory) {
        return abi.encodeCall(books.giveUpPayments, (escrow, 0, all));
    }

    // ---------------------------------------------------------------- waiting

    function test_fixes_the_outcome_and_pays_nobody_behind_a_freeze() external {
        EscrowTerms memory escrow = waiting();
        assertOutcome(escrow, 0, Outcome.Released);
        assertHolds(buyer, EURO, 100_000 - SUM, SUM);
        assertHolds(seller, BOND, 100_000 - 30, 30);
        MilestoneNow memory now_ = nowOf(escrow, 0);
        assertEq(uint256(now_.state), uint256(MilestoneState.Waiting));
        assertEq(now_.ways, WAY_PAY_OUT);
        assertEq(now_.until, NOON + MAX_WAIT);
        bytes memory error_ = hasEnded(idOf(escrow), 0);
        vm.warp(DEADLINE);
        assertReverts(stranger, abi.encodeCall(books.endByDefault, (escrow, 0)), error_);
    }

    function test_gives_back_at_once_what_is_not_paid() external {
        EscrowTerms memory escrow = delivery();
        escrow.lines[0].ifMet = 600;
        open(escrow);
        books.freezeAsset(EURO, true, "TEST");
        deliver(escrow);
        assertHolds(buyer, EURO, 100_000 - 600, 600);
        books.freezeAsset(EURO, false, "TEST");
        bytes memory call_ = abi.encodeCall(books.payOut, (escrow, 0, paying(600)));
        vm.prank(stranger);
        (bool success,) = address(books).call(call_);
        assertTrue(success);
        assertHolds(buyer, EURO, 100_000 - 600, 0);
        assertHolds(seller, EURO, 600, 0);
    }

    function test_waits_for_no_line_that_pays_nothing() external {
        EscrowTerms memory escrow = delivery();
        addLine(escrow, lineOf(0, BOND, seller, buyer, 30));
        open(escrow);
        books.freezeAccount(seller, true, "TEST");
        agree(escrow, 0, paying(SUM, 0));
        assertHolds(seller, EURO, SUM, 0);
        assertHolds(seller, BOND, 100_000, 0);
        assertReverts(stranger, paysOut(escrow), none(escrow));
    }

    // ---------------------------------------------------------------- paying out

    function test_pays_once_when_the_freeze_is_over_by_anybody() external {
        EscrowTerms memory escrow = waiting();
        assertReverts(stranger, paysOut(escrow), frozen(escrow));
        books.freezeAsset(EURO, true, "TEST");
        books.freezeAccount(seller, false, "TEST");
        assertReverts(stranger, paysOut(escrow), frozen(escrow));
        books.freezeAsset(EURO, false, "TEST");
        vm.expectEmit(address(books));
        emit IEscrow.PaymentsMade(idOf(escrow), 0);
        vm.prank(stranger);
        books.payOut(escrow, 0, all);
        assertHolds(seller, EURO, SUM, 0);
        assertHolds(buyer, BOND, 30, 0);
        assertHolds(buyer, EURO, 100_000 - SUM, 0);
        assertHolds(seller, BOND, 100_000 - 30, 0);
        assertReverts(stranger, paysOut(escrow), none(escrow));
        vm.warp(NOON + MAX_WAIT);
        assertReverts(buyer, givesUp(escrow), none(escrow));
        (, uint32 outcomes,) = books.escrowState(idOf(escrow));
        assertEq(outcomes, uint256(Outcome.Released), "waits no more");
        assertEq(uint256(nowOf(escrow, 0).state), uint256(MilestoneState.Ended));
    }

    function test_asks_no_freedom_of_a_line_that_pays_nothing() external {
        EscrowTerms memory escrow = delivery();
        addLine(escrow, lineOf(0, BOND, seller, buyer, 30));
        open(escrow);
        books.freezeAccount(buyer, true, "TEST");
        agree(escrow, 0, paying(SUM, 0));
        books.freezeAccount(buyer, false, "TEST");
        books.freezeAccount(seller, true, "TEST");
        books.payOut(escrow, 0, paying(SUM, 0));
        assertHolds(seller, EURO, SUM, 0);
    }

    /// @dev Theft: other amounts than those of the outcome.
    function test_refuses_other_amounts_than_the_outcomes() external {
        EscrowTerms memory escrow = waiting();
        books.freezeAccount(seller, false, "TEST");
        bytes memory call_ = abi.encodeCall(books.payOut, (escrow, 0, paying(SUM, 0)));
        assertReverts(seller, call_, none(escrow));
        call_ = abi.encodeCall(books.payOut, (escrow, 0, paying(SUM)));
        bytes memory error_ = abi.encodeWithSelector(IEscrow.PaidListInvalid.selector, 1, 2);
        assertReverts(seller, call_, error_);
        call_ = abi.encodeCall(books.payOut, (escrow, 0, paying(SUM, 31)));
        error_ = abi.encodeWithSelector(IEscrow.SplitDoesNotSum.selector, 1, 31, 30);
        assertReverts(seller, call_, error_);
        vm.warp(NOON + MAX_WAIT);
        call_ = abi.encodeCall(books.giveUpPayments, (escrow, 0, paying(SUM, 0)));
        assertReverts(buyer, call_, none(escrow));
    }

    function test_refuses_to_pay_what_never_waited() external {
        EscrowTerms memory escrow = delivery();
        addLine(escrow, lineOf(0, BOND, seller, buyer, 30));
        open(escrow);
        assertReverts(stranger, paysOut(escrow), none(escrow));
        deliver(escrow);
        assertReverts(stranger, paysOut(escrow), none(escrow));
    }

    // ---------------------------------------------------------------- giving up

    function test_refuses_to_give_up_before_thirty_days_are_over() external {
        EscrowTerms memory escrow = waiting();
        uint256 from = NOON + MAX_WAIT;
        vm.warp(from - 1);
        bytes memory error_ =
            abi.encodeWithSelector(IEscrow.TooEarlyToGiveUp.selector, from, from - 1);
        assertReverts(buyer, givesUp(escrow), error_);
        assertEq(nowOf(escrow, 0).ways, WAY_PAY_OUT);
        vm.warp(from);
        assertEq(nowOf(escrow, 0).ways, WAY_PAY_OUT | WAY_GIVE_UP);
        assertEq(nowOf(escrow, 0).until, 0);
        vm.expectEmit(address(books));
        emit IEscrow.PaymentsGivenUp(idOf(escrow), 0, buyer);
        vm.prank(buyer);
        books.giveUpPayments(escrow, 0, all);
        assertHolds(buyer, EURO, 100_000, 0);
        assertHolds(seller, BOND, 100_000, 0);
        assertOutcome(escrow, 0, Outcome.Released);
        assertReverts(stranger, paysOut(escrow), none(escrow));
    }

    function test_lets_only_those_give_up_who_pay_and_are_free() external {
        EscrowTerms memory escrow = waiting();
        vm.warp(NOON + MAX_WAIT);
        bytes4 error_ = IEscrow.NotAParty.selector;
        assertReverts(stranger, givesUp(escrow), abi.encodeWithSelector(error_, stranger));
        assertReverts(agent, givesUp(escrow), abi.encodeWithSelector(error_, agent));
        assertReverts(seller, givesUp(escrow), frozen(escrow));
        books.freezeAsset(EURO, true, "TEST");
        assertReverts(buyer, givesUp(escrow), frozen(escrow));
        books.freezeAsset(EURO, false, "TEST");
        books.freezeAccount(seller, false, "TEST");
        bytes memory free =
            abi.encodeWithSelector(IEscrow.PaymentsNotFrozen.selector, idOf(escrow), 0);
        assertReverts(buyer, givesUp(escrow), free);
    }

    /// @dev A debtor alone is never shut in by others: it cannot take back what it owes.
    function test_lets_no_debtor_of_all_lines_give_up() external {
        EscrowTerms memory escrow = delivery();
        addLine(escrow, lineOf(0, EURO, buyer, agent, 30));
        open(escrow);
        books.freezeAccount(buyer, true, "TEST");
        deliver(escrow);
        vm.warp(NOON + MAX_WAIT);
        assertReverts(buyer, givesUp(escrow), frozen(escrow));
        books.freezeAccount(buyer, false, "TEST");
        bytes memory error_ =
            abi.encodeWithSelector(IEscrow.PaymentsNotFrozen.selector, idOf(escrow), 0);
        assertReverts(buyer, givesUp(escrow), error_);
        books.payOut(escrow, 0, all);
    }

    function test_keeps_apart_what_waits_in_two_milestones() external {
        bytes memory one = signedBy(third, DELIVERED);
        EscrowTerms memory escrow = escrowOf(2, abi.encodePacked(one, one));
        bytes32 id = open(escrow);
        books.freezeAccount(buyer, true, "TEST");
        deliver(escrow);
        elapse(60);
        books.endByCondition(escrow, 1, listed(attested(id, 1, third, uint64(NOON))));
        books.freezeAccount(buyer, false, "TEST");
        books.payOut(escrow, 1, paying(SUM));
        assertHolds(seller, EURO, SUM, 0);
        assertHolds(buyer, EURO, 100_000 - 2 * SUM, SUM);
        books.payOut(escrow, 0, paying(SUM));
        assertHolds(seller, EURO, 2 * SUM, 0);
        assertHolds(buyer, EURO, 100_000 - 2 * SUM, 0);
    }
}
