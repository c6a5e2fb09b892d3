// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILedger} from "../../src/interfaces/ILedger.sol";
import {Hold, Holding, MAX_MOVES, Move, Standing} from "../../src/interfaces/Types.sol";
import {Modules} from "../support/Modules.sol";

/// @notice The one way in which a module moves value (laws L1, L2, L7, L9).
contract PostTest is Modules {
    Move[] private moves;
    Hold[] private holds;

    function move(uint32 asset, address account, int256 delta) private {
        moves.push(Move(asset, account, delta));
    }

    function refuse(bytes memory error_) private {
        assertReverts(module, abi.encodeCall(books.post, ("id", holds, moves)), error_);
    }

    function post() private {
        vm.prank(module);
        books.post("id", holds, moves);
    }

    function test_refuses_who_is_no_active_module() external {
        bytes memory call_ = abi.encodeCall(books.post, ("id", holds, moves));
        bytes4 error_ = ILedger.ModuleNotActive.selector;
        assertReverts(stranger, call_, abi.encodeWithSelector(error_, stranger));
        assertReverts(seller, call_, abi.encodeWithSelector(error_, seller));
    }

    function test_refuses_more_lines_than_the_bound() external {
        Move[] memory many = new Move[](MAX_MOVES + 1);
        bytes memory call_ = abi.encodeCall(books.post, ("id", holds, many));
        bytes4 error_ = ILedger.TooManyMoves.selector;
        assertReverts(module, call_, abi.encodeWithSelector(error_, MAX_MOVES + 1, MAX_MOVES));
        // The holds that are taken count too.
        holds.push(holdOf(1));
        call_ = abi.encodeCall(books.post, ("id", holds, new Move[](MAX_MOVES)));
        assertReverts(module, call_, abi.encodeWithSelector(error_, MAX_MOVES + 1, MAX_MOVES));
    }

    function test_refuses_to_take_a_hold_of_another_module_or_one_that_is_not_live() external {
        Hold memory hold = holdOf(5);
        hold.module = stranger;
        holds.push(hold);
        bytes4 error_ = ILedger.HoldOfAnotherModule.selector;
        refuse(abi.encodeWithSelector(error_, stranger, module));
        holds[0] = holdOf(5);
        refuse(abi.encodeWithSelector(ILedger.HoldNotLive.selector, idOf(holdOf(5))));
        place(holdOf(5));
        holds.push(holdOf(5));
        refuse(abi.encodeWithSelector(ILedger.HoldNotLive.selector, idOf(holdOf(5))));
    }

    /// @dev Law L7: from the deadline on a hold is given back and no longer taken.
    function test_refuses_to_take_a_hold_from_its_deadline_on() external {
        place(holdOf(5));
        holds.push(holdOf(5));
        vm.warp(CLOSES);
        refuse(abi.encodeWithSelector(ILedger.DeadlinePassed.selector, CLOSES, CLOSES));
        vm.warp(CLOSES - 1);
        post();
    }

    function test_refuses_assets_that_are_not_in_ascending_groups() external {
        move(EURO, buyer, 1);
        move(EURO, buyer, -1);
        move(BOND, seller, -1);
        refuse(abi.encodeWithSelector(ILedger.MovesNotGroupedByAsset.selector, BOND, EURO));
    }

    /// @dev Trap: net helpers that do not add up. The sum is asked of each asset, not of the list.
    function test_refuses_an_asset_whose_sum_is_not_zero() external {
        give(buyer, EURO, 9);
        move(BOND, seller, -5);
        move(BOND, buyer, 4);
        refuse(abi.encodeWithSelector(ILedger.MovesNotZeroSum.selector, BOND, -1));
        move(EURO, buyer, -1);
        move(EURO, seller, 2);
        refuse(abi.encodeWithSelector(ILedger.MovesNotZeroSum.selector, BOND, -1));
        moves[1].delta = 5;
        refuse(abi.encodeWithSelector(ILedger.MovesNotZeroSum.selector, EURO, 1));
    }

    function test_refuses_an_asset_that_is_unknown_or_frozen_also_the_first() external {
        move(0, seller, 5);
        move(0, seller, -5);
        refuse(abi.encodeWithSelector(ILedger.AssetUnknown.selector, 0));
        books.freezeAsset(BOND, true, "TEST");
        moves[0].asset = moves[1].asset = BOND;
        refuse(abi.encodeWithSelector(ILedger.AssetIsFrozen.selector, BOND));
    }

    function test_refuses_a_line_of_nothing_and_lines_beyond_128_bits() external {
        int256 most = int256(uint256(type(uint128).max));
        int256[4] memory deltas = [int256(0), most + 1, -most - 1, type(int256).min];
        move(BOND, seller, 0);
        for (uint256 k = 0; k < deltas.length; ++k) {
            moves[0].delta = deltas[k];
            refuse(abi.encodeWithSelector(ILedger.MoveOutOfRange.selector, BOND, deltas[k]));
        }
    }

    /// @dev Credits run ahead of debits within a posting: they may not run out of the word.
    function test_refuses_a_credit_that_would_run_into_the_held_half() external {
        int256 most = int256(uint256(type(uint128).max));
        place(holdOf(60));
        move(BOND, seller, most - 99);
        move(BOND, seller, 99 - most);
        refuse(
            abi.encodeWithSelector(
                ILedger.HoldingTooLarge.selector, seller, BOND, uint256(most - 99)
            )
        );
        moves[0].delta = most - 100;
        moves[1].delta = 100 - most;
        post();
        assertHolds(seller, BOND, 40, 60);
    }

    function test_refuses_to_debit_a_frozen_account_and_credits_one() external {
        books.freezeAccount(seller, true, "TEST");
        move(BOND, seller, -5);
        move(BOND, buyer, 5);
        refuse(abi.encodeWithSelector(ILedger.AccountIsFrozen.selector, seller));
        books.freezeAccount(seller, false, "TEST");
        books.freezeAccount(buyer, true, "TEST");
        post();
        assertHolds(buyer, BOND, 5, 0);
    }

    /// @dev Trap: forced transfer that skips admission.
    function test_refuses_to_credit_who_was_never_admitted_and_credits_who_is_suspended() external {
        move(BOND, seller, -5);
        move(BOND, stranger, 5);
        bytes4 error_ = ILedger.AccountNotAdmitted.selector;
        refuse(abi.encodeWithSelector(error_, stranger, Standing.Unknown));
        books.setStanding(buyer, Standing.Suspended, 0);
        moves[1].account = buyer;
        post();
        assertHolds(buyer, BOND, 5, 0);
    }

    /// @dev What others hold, a reservation too, is out of a module's reach.
    function test_refuses_more_than_is_available() external {
        vm.startPrank(seller);
        books.affirm(dvp(1), new bytes[](2));
        books.reserve(dvp(1), seller, true, "");
        vm.stopPrank();
        move(BOND, seller, -1);
        move(BOND, buyer, 1);
        refuse(abi.encodeWithSelector(ILedger.HoldingTooSmall.selector, seller, BOND, 0, 1));
    }

    function test_takes_holds_and_moves_them_in_one_step() external {
        give(buyer, EURO, 9);
        place(holdOf(60));
        holds.push(holdOf(60));
        move(BOND, seller, -60);
        move(BOND, buyer, 50);
        move(BOND, agent, 10);
        move(EURO, buyer, -9);
        move(EURO, seller, 9);
        vm.expectEmit(address(books));
        emit ILedger.HoldEnded("escrow", 0, module, seller, BOND, 60, CLOSES, true, Holding(100, 0));
        vm.expectEmit(address(books));
        emit ILedger.Moved(module, "id", BOND, seller, -60, Holding(40, 0));
        post();
        assertHolds(seller, BOND, 40, 0);
        assertHolds(buyer, BOND, 50, 0);
        assertHolds(agent, BOND, 10, 0);
        assertHolds(seller, EURO, 9, 0);
        assertFalse(books.isLive(holdOf(60)));
    }

    /// @dev Law L2, whatever a module brings: it reverts, or no asset's sum of holdings changes.
    function testFuzz_never_changes_the_sum_of_an_asset(int16[6] memory deltas, uint256 seed)
        external
    {
        give(buyer, BOND, 1000);
        give(agent, EURO, 1000);
        address[3] memory parties = [seller, buyer, agent];
        for (uint256 k = 0; k < deltas.length; ++k) {
            address account = parties[(seed >> (8 * k)) % 3];
            // Half of the lines undo the one before, so that some postings go through.
            int256 delta = k % 2 == 1 && seed & (1 << k) == 0 ? -moves[k - 1].delta : deltas[k] % 90;
            move(k < 4 ? BOND : EURO, account, delta);
        }
        vm.prank(module);
        (bool success,) = address(books).call(abi.encodeCall(books.post, ("id", holds, moves)));
        success;
        uint256 bonds;
        uint256 euros;
        for (uint256 k = 0; k < 3; ++k) {
            bonds += books.balanceOf(parties[k], BOND);
            euros += books.balanceOf(parties[k], EURO);
        }
        assertEq(bonds, 1100);
        assertEq(euros, 1000);
        assertEq(books.totalSupply(BOND), 1100);
    }
}
