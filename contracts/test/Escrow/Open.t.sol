// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    EscrowLine,
    EscrowTerms,
    IEscrow,
    MAX_ESCROW_WINDOW,
    MIN_STEP
} from "../../src/interfaces/IEscrow.sol";
import {ILedger} from "../../src/interfaces/ILedger.sol";
import {Standing} from "../../src/interfaces/Types.sol";
import {EscrowActs} from "../support/EscrowActs.sol";
import {Wallet} from "../support/Wallet.sol";

/// @notice Terms are opened and funded at once, by everybody's signature, or not at all.
contract OpenTest is EscrowActs {
    function invalid(uint256 line) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IEscrow.LineInvalid.selector, line);
    }

    function late(uint256 m, uint64 deadline, uint256 limit) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IEscrow.DeadlinesInvalid.selector, m, deadline, limit);
    }

    function bad(address account) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ILedger.SignatureInvalid.selector, account);
    }

    // ---------------------------------------------------------------- refusals of terms

    function test_refuses_terms_beyond_the_bounds() external {
        EscrowTerms memory escrow = delivery();
        escrow.lines = new EscrowLine[](0);
        refusesToOpen(escrow, abi.encodeWithSelector(IEscrow.TooManyLines.selector, 0, 16));
        escrow.lines = new EscrowLine[](17);
        refusesToOpen(escrow, abi.encodeWithSelector(IEscrow.TooManyLines.selector, 17, 16));
        escrow = delivery();
        escrow.deadlines = new uint64[](0);
        refusesToOpen(escrow, abi.encodeWithSelector(IEscrow.TooManyMilestones.selector, 0, 8));
        escrow.deadlines = new uint64[](9);
        refusesToOpen(escrow, abi.encodeWithSelector(IEscrow.TooManyMilestones.selector, 9, 8));
        escrow = delivery();
        escrow.arbiters = new address[](8);
        refusesToOpen(escrow, abi.encodeWithSelector(IEscrow.TooManyArbiters.selector, 8, 7));
        escrow = escrowOf(new bytes(2049));
        refusesToOpen(escrow, abi.encodeWithSelector(IEscrow.ProgramTooLong.selector, 2049, 2048));
    }

    function test_refuses_lines_out_of_order_and_milestones_without_lines() external {
        bytes memory twice = abi.encodePacked(NEVER, NEVER);
        EscrowTerms memory escrow = escrowOf(2, twice);
        escrow.lines[1].milestone = 2;
        refusesToOpen(escrow, invalid(1));
        escrow.lines[1].milestone = 0;
        refusesToOpen(escrow, abi.encodeWithSelector(IEscrow.MilestoneWithoutLines.selector, 1));
        escrow.lines[0].milestone = 1;
        refusesToOpen(escrow, abi.encodeWithSelector(IEscrow.MilestoneWithoutLines.selector, 0));
        escrow = escrowOf(2, twice);
        addLine(escrow, lineOf(0, SUM));
        refusesToOpen(escrow, invalid(2));
    }

    function test_refuses_a_line_of_nothing_of_nobody_or_to_oneself() external {
        EscrowTerms memory escrow = delivery();
        addLine(escrow, lineOf(0, 0));
        refusesToOpen(escrow, invalid(1));
        escrow.lines[1] = lineOf(0, EURO, address(0), seller, 1);
        refusesToOpen(escrow, invalid(1));
        escrow.lines[1] = lineOf(0, EURO, buyer, address(0), 1);
        refusesToOpen(escrow, invalid(1));
        escrow.lines[1] = lineOf(0, EURO, buyer, buyer, 1);
        refusesToOpen(escrow, invalid(1));
    }

    /// @dev Law L5, L10: no end can pay what is not held.
    function test_refuses_a_line_that_pays_more_than_it_holds() external {
        bytes4 more = IEscrow.PaysMoreThanHeld.selector;
        EscrowTerms memory escrow = delivery();
        escrow.lines[0].ifUnruled = SUM + 3;
        refusesToOpen(escrow, abi.encodeWithSelector(more, 0, SUM + 3, SUM));
        escrow.lines[0].byDefault = SUM + 2;
        refusesToOpen(escrow, abi.encodeWithSelector(more, 0, SUM + 2, SUM));
        escrow.lines[0].ifMet = SUM + 1;
        refusesToOpen(escrow, abi.encodeWithSelector(more, 0, SUM + 1, SUM));
    }

    function test_refuses_deadlines_too_soon_too_far_or_already_over() external {
        EscrowTerms memory escrow = delivery();
        uint64 soonest = uint64(OPEN_BY + MIN_STEP);
        escrow.deadlines[0] = soonest - 1;
        refusesToOpen(escrow, late(0, soonest - 1, soonest));
        uint64 furthest = uint64(NOON + MAX_ESCROW_WINDOW);
        escrow.deadlines[0] = furthest + 1;
        refusesToOpen(escrow, late(0, furthest + 1, furthest));
        escrow.deadlines[0] = type(uint64).max;
        refusesToOpen(escrow, late(0, type(uint64).max, furthest));
        escrow.openBy = type(uint64).max;
        refusesToOpen(escrow, late(0, type(uint64).max, uint256(type(uint64).max) + MIN_STEP));
        escrow.openBy = uint64(NOON);
        refusesToOpen(escrow, abi.encodeWithSelector(ILedger.DeadlinePassed.selector, NOON, NOON));
        escrow = delivery();
        escrow.deadlines[0] = furthest;
        open(escrow);
        escrow.deadlines[0] = soonest;
        open(escrow);
    }

    // ---------------------------------------------------------------- refusals of the panel

    function panelRefused(EscrowTerms memory escrow) private {
        refusesToOpen(escrow, abi.encodeWithSelector(IEscrow.PanelInvalid.selector));
    }

    function test_refuses_a_panel_that_is_none_but_has_numbers() external {
        EscrowTerms memory escrow = delivery();
        escrow.quorum = 1;
        panelRefused(escrow);
        escrow = delivery();
        escrow.answerTime = 1;
        panelRefused(escrow);
        escrow = delivery();
        escrow.fallbackTime = 1;
        panelRefused(escrow);
        escrow = delivery();
        escrow.fallbackArbiter = lastArbiter;
        panelRefused(escrow);
    }

    /// @dev Two quorums must have an arbiter in common, or one dispute could be ruled in two ways.
    function test_refuses_a_quorum_of_half_or_more_than_all() external {
        EscrowTerms memory escrow = withPanel(delivery());
        escrow.quorum = 1;
        panelRefused(escrow);
        escrow.quorum = 4;
        panelRefused(escrow);
        escrow.quorum = 3;
        open(escrow);
        escrow.quorum = 2;
        escrow.arbiters[2] = named("fourth");
        open(escrow);
        address[] memory four = new address[](4);
        for (uint256 k = 0; k < 4; ++k) {
            four[k] = k < 3 ? panel[k] : named("fourth");
        }
        escrow.arbiters = four;
        panelRefused(escrow);
    }

    function test_refuses_a_panel_without_time_or_with_too_much() external {
        EscrowTerms memory escrow = withPanel(delivery());
        escrow.answerTime = 0;
        panelRefused(escrow);
        escrow.answerTime = 90 days;
        panelRefused(escrow);
        escrow.answerTime = type(uint64).max;
        panelRefused(escrow);
        escrow.answerTime = 88 days;
        escrow.fallbackTime = 0;
        panelRefused(escrow);
        escrow.fallbackTime = 2 days;
        escrow.fallbackArbiter = address(0);
        panelRefused(escrow);
        escrow.fallbackArbiter = lastArbiter;
        open(escrow);
    }

    function test_refuses_an_arbiter_who_is_nobody_or_stands_twice() external {
        EscrowTerms memory escrow = withPanel(delivery());
        escrow.arbiters[1] = address(0);
        panelRefused(escrow);
        escrow.arbiters[1] = panel[0];
        panelRefused(escrow);
        escrow.arbiters[1] = lastArbiter;
        panelRefused(escrow);
    }

    function test_refuses_an_arbiter_or_oracle_that_is_a_party() external {
        bytes memory error_ = abi.encodeWithSelector(IEscrow.NeutralIsParty.selector, buyer);
        EscrowTerms memory escrow = withPanel(delivery());
        escrow.arbiters[1] = buyer;
        refusesToOpen(escrow, error_);
        escrow = withPanel(delivery());
        escrow.fallbackArbiter = buyer;
        refusesToOpen(escrow, error_);
        refusesToOpen(escrowOf(readingOf(buyer, 0, 1, 0, 1)), error_);
        refusesToOpen(escrowOf(feedOf(buyer, 0, 1, 0, 1)), error_);
        open(escrowOf(signedBy(buyer, DELIVERED)));
    }

    // ---------------------------------------------------------------- refusals of consents

    function test_refuses_to_open_twice_and_what_somebody_withdrew_from() external {
        EscrowTerms memory escrow = delivery();
        bytes32 id = open(escrow);
        refusesToOpen(escrow, abi.encodeWithSelector(IEscrow.EscrowAlreadyOpened.selector, id));
        deliver(escrow);
        refusesToOpen(escrow, abi.encodeWithSelector(IEscrow.EscrowAlreadyOpened.selector, id));
        escrow.salt = "another";
        vm.prank(seller);
        books.withdrawFromEscrow(escrow, seller, "");
        bytes memory error_ =
            abi.encodeWithSelector(IEscrow.ConsentWasWithdrawn.selector, idOf(escrow));
        refusesToOpen(escrow, error_);
    }

    function test_refuses_a_list_that_is_not_one_signature_for_each() external {
        EscrowTerms memory escrow = withPanel(delivery());
        for (uint256 count = 0; count < 9; ++count) {
            if (count == 6) continue;
            bytes memory call_ = abi.encodeCall(books.openEscrow, (escrow, new bytes[](count)));
            bytes memory error_ =
                abi.encodeWithSelector(IEscrow.SignaturesMissing.selector, count, 6);
            assertReverts(stranger, call_, error_);
        }
    }

    /// @dev Law L3. The caller's own place may not stay empty either.
    function test_refuses_a_missing_or_foreign_signature_of_each_signer() external {
        EscrowTerms memory escrow = withPanel(delivery());
        address[] memory signers = signersOf(escrow);
        assertEq(signers.length, 6, "two parties, three arbiters, the last");
        for (uint256 k = 0; k < signers.length; ++k) {
            bytes[] memory list = consents(escrow);
            list[k] = "";
            bytes memory call_ = abi.encodeCall(books.openEscrow, (escrow, list));
            assertReverts(signers[k], call_, bad(signers[k]));
            list[k] = signatureBy(stranger, idOf(escrow));
            call_ = abi.encodeCall(books.openEscrow, (escrow, list));
            assertReverts(stranger, call_, bad(signers[k]));
        }
    }

    function test_refuses_signatures_under_other_terms() external {
        EscrowTerms memory escrow = delivery();
        bytes[] memory list = consents(escrow);
        escrow.lines[0].byDefault = SUM;
        bytes memory call_ = abi.encodeCall(books.openEscrow, (escrow, list));
        assertReverts(seller, call_, bad(buyer));
    }

    // ---------------------------------------------------------------- refusals of the books

    function test_refuses_parties_that_are_not_admitted() external {
        EscrowTerms memory escrow = delivery();
        bytes4 error_ = ILedger.AccountNotAdmitted.selector;
        books.setStanding(seller, Standing.Suspended, 0);
        refusesToOpen(escrow, abi.encodeWithSelector(error_, seller, Standing.Suspended));
        books.setStanding(buyer, Standing.Unknown, 0);
        refusesToOpen(escrow, abi.encodeWithSelector(error_, buyer, Standing.Unknown));
    }

    function test_refuses_a_frozen_depositor_and_a_frozen_or_unknown_asset() external {
        EscrowTerms memory escrow = delivery();
        books.freezeAsset(EURO, true, "TEST");
        refusesToOpen(escrow, abi.encodeWithSelector(ILedger.AssetIsFrozen.selector, EURO));
        books.freezeAccount(buyer, true, "TEST");
        refusesToOpen(escrow, abi.encodeWithSelector(ILedger.AccountIsFrozen.selector, buyer));
        books.freezeAccount(buyer, false, "TEST");
        escrow.lines[0].asset = 9;
        refusesToOpen(escrow, abi.encodeWithSelector(ILedger.AssetUnknown.selector, 9));
    }

    /// @dev Law L1: the first line alone would be there, the second of the same holding is not.
    function test_refuses_all_deposits_if_one_is_missing() external {
        EscrowTerms memory escrow = delivery();
        escrow.lines[0] = lineOf(0, 60_000);
        addLine(escrow, lineOf(0, 40_001));
        bytes memory error_ =
            abi.encodeWithSelector(ILedger.HoldingTooSmall.selector, buyer, EURO, 40_000, 40_001);
        refusesToOpen(escrow, error_);
        assertHolds(buyer, EURO, 100_000, 0);
        escrow.lines[1] = lineOf(0, 40_000);
        open(escrow);
        assertHolds(buyer, EURO, 0, 100_000);
    }

    // ---------------------------------------------------------------- effects

    function test_holds_every_deposit_where_it_is_and_tells_so() external {
        EscrowTerms memory escrow = delivery();
        addLine(escrow, lineOf(0, BOND, seller, buyer, 30));
        bytes32 id = idOf(escrow);
        bytes[] memory signatures = consents(escrow);
        vm.expectEmit(address(books));
        emit IEscrow.EscrowOpened(id, 1, 2, escrow.text);
        vm.expectEmit(address(books));
        emit IEscrow.LineHeld(id, 0, buyer, EURO, SUM, (uint256(SUM) << 128) | (100_000 - SUM));
        vm.expectEmit(address(books));
        emit IEscrow.LineHeld(id, 1, seller, BOND, 30, (uint256(30) << 128) | (100_000 - 30));
        books.openEscrow(escrow, signatures);
        assertHolds(buyer, EURO, 100_000 - SUM, SUM);
        assertHolds(seller, BOND, 100_000 - 30, 30);
        assertEq(books.balanceOf(buyer, EURO), 100_000, "title stays");
        (uint64 openedAt, uint32 outcomes, uint8 disputed) = books.escrowState(id);
        assertEq(openedAt, NOON);
        assertEq(uint256(outcomes) + disputed, 0);
    }

    function test_asks_nothing_of_arbiters_and_no_freedom_of_a_beneficiary() external {
        books.freezeAccount(seller, true, "TEST");
        books.freezeAccount(panel[0], true, "TEST");
        open(withPanel(delivery()));
    }

    function test_takes_the_word_of_a_wallet_and_opens_once_while_it_is_asked() external {
        Wallet vault = wallet("vault");
        give(address(vault), EURO, 2 * SUM);
        EscrowTerms memory escrow = delivery();
        escrow.lines[0].depositor = address(vault);
        bytes[] memory signatures = consents(escrow);
        vault.plan(address(books), abi.encodeCall(books.openEscrow, (escrow, signatures)));
        books.openEscrow(escrow, signatures);
        assertHolds(address(vault), EURO, SUM, SUM);
        escrow.salt = "another";
        vault.become(Wallet.Mood.Refuses);
        refusesToOpen(escrow, bad(address(vault)));
    }
}
