// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILedger} from "../../src/interfaces/ILedger.sol";
import {Hold, Holding, MAX_WINDOW, Standing} from "../../src/interfaces/Types.sol";
import {Modules} from "../support/Modules.sol";

/// @notice Value reserved for a module's purpose.
contract PlaceHoldTest is Modules {
    function refuse(Hold memory hold, bytes memory error_) private {
        assertReverts(module, abi.encodeCall(books.placeHold, (hold)), error_);
    }

    function test_refuses_who_is_no_active_module() external {
        Hold memory hold = holdOf(1);
        hold.module = stranger;
        bytes memory call_ = abi.encodeCall(books.placeHold, (hold));
        bytes4 error_ = ILedger.ModuleNotActive.selector;
        assertReverts(stranger, call_, abi.encodeWithSelector(error_, stranger));
        books.setModule(module, false);
        refuse(holdOf(1), abi.encodeWithSelector(error_, module));
    }

    function test_refuses_a_hold_of_another_module() external {
        Hold memory hold = holdOf(1);
        hold.module = stranger;
        bytes4 error_ = ILedger.HoldOfAnotherModule.selector;
        refuse(hold, abi.encodeWithSelector(error_, stranger, module));
        hold.module = address(books);
        refuse(hold, abi.encodeWithSelector(error_, books, module));
    }

    function test_refuses_nothing() external {
        refuse(holdOf(0), abi.encodeWithSelector(ILedger.QuantityIsZero.selector));
    }

    function test_refuses_a_deadline_that_is_over_or_beyond_the_longest_wait() external {
        Hold memory hold = holdOf(1);
        hold.deadline = OPENS;
        refuse(hold, abi.encodeWithSelector(ILedger.DeadlinePassed.selector, OPENS, OPENS));
        hold.deadline = uint64(NOON + MAX_WINDOW + 1);
        bytes4 error_ = ILedger.DeadlineTooFar.selector;
        refuse(hold, abi.encodeWithSelector(error_, hold.deadline, NOON + MAX_WINDOW));
        hold.deadline -= 1;
        place(hold);
    }

    function test_refuses_a_frozen_or_unknown_asset_and_account() external {
        Hold memory hold = holdOf(1);
        hold.asset = 9;
        refuse(hold, abi.encodeWithSelector(ILedger.AssetUnknown.selector, 9));
        books.freezeAsset(BOND, true, "TEST");
        refuse(holdOf(1), abi.encodeWithSelector(ILedger.AssetIsFrozen.selector, BOND));
        books.freezeAsset(BOND, false, "TEST");
        books.freezeAccount(seller, true, "TEST");
        refuse(holdOf(1), abi.encodeWithSelector(ILedger.AccountIsFrozen.selector, seller));
        books.setStanding(seller, Standing.Suspended, 0);
        bytes4 error_ = ILedger.AccountNotAdmitted.selector;
        refuse(holdOf(1), abi.encodeWithSelector(error_, seller, Standing.Suspended));
    }

    function test_refuses_the_same_hold_twice_while_it_is_live() external {
        place(holdOf(1));
        bytes4 error_ = ILedger.HoldAlreadyLive.selector;
        refuse(holdOf(1), abi.encodeWithSelector(error_, idOf(holdOf(1))));
        place(holdOf(2));
    }

    function test_refuses_more_than_is_available() external {
        place(holdOf(60));
        bytes4 error_ = ILedger.HoldingTooSmall.selector;
        refuse(holdOf(41), abi.encodeWithSelector(error_, seller, BOND, 40, 41));
    }

    function test_holds_in_place_and_tells_everything() external {
        vm.expectEmit(address(books));
        emit ILedger.HoldPlaced("escrow", 0, module, seller, BOND, 60, CLOSES, Holding(40, 60));
        place(holdOf(60));
        assertHolds(seller, BOND, 40, 60);
        assertTrue(books.isLive(holdOf(60)));
        assertFalse(books.isLive(holdOf(61)));
    }
}
