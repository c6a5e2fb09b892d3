// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILedger} from "../../src/interfaces/ILedger.sol";
import {Hold, Holding, Standing} from "../../src/interfaces/Types.sol";
import {Modules} from "../support/Modules.sol";

/// @notice Held value goes back to its owner (laws L5, L7).
contract ReleaseHoldTest is Modules {
    function refuse(address caller, Hold memory hold, bytes memory error_) private {
        assertReverts(caller, abi.encodeCall(books.releaseHold, (hold)), error_);
    }

    function test_refuses_a_hold_that_is_not_live() external {
        bytes4 error_ = ILedger.HoldNotLive.selector;
        refuse(module, holdOf(5), abi.encodeWithSelector(error_, idOf(holdOf(5))));
        place(holdOf(5));
        refuse(module, holdOf(6), abi.encodeWithSelector(error_, idOf(holdOf(6))));
        vm.startPrank(module);
        books.releaseHold(holdOf(5));
        vm.stopPrank();
        refuse(module, holdOf(5), abi.encodeWithSelector(error_, idOf(holdOf(5))));
    }

    /// @dev A caller that brings other terms for a live hold finds none.
    function testFuzz_refuses_terms_of_which_one_field_is_other(uint256 field, uint32 change)
        external
    {
        place(holdOf(5));
        vm.warp(CLOSES + 1);
        uint64 not0 = uint64(change) + 1;
        Hold memory hold = holdOf(5);
        field %= 7;
        if (field == 0) hold.module = address(uint160(hold.module) ^ not0);
        if (field == 1) hold.purpose ^= bytes32(uint256(not0));
        if (field == 2) hold.index = uint8(1 + change % 255);
        if (field == 3) hold.account = buyer;
        if (field == 4) hold.asset = SHARE;
        if (field == 5) hold.quantity += not0;
        if (field == 6) hold.deadline ^= not0;
        bytes4 error_ = ILedger.HoldNotLive.selector;
        refuse(stranger, hold, abi.encodeWithSelector(error_, idOf(hold)));
    }

    function test_refuses_the_reservation_of_an_instruction() external {
        vm.startPrank(seller);
        books.affirm(dvp(1), new bytes[](2));
        books.reserve(dvp(1), seller, true, "");
        vm.stopPrank();
        Hold memory hold = holdOf(PIECES);
        hold.module = address(books);
        hold.purpose = books.idOf(dvp(1));
        vm.warp(CLOSES);
        bytes4 error_ = ILedger.HoldNotLive.selector;
        refuse(stranger, hold, abi.encodeWithSelector(error_, idOf(hold)));
    }

    function test_refuses_the_owner_and_strangers_before_the_deadline() external {
        place(holdOf(5));
        vm.warp(CLOSES - 1);
        bytes memory error_ = abi.encodeWithSelector(
            ILedger.HoldNotReleasable.selector, idOf(holdOf(5)), CLOSES, CLOSES - 1
        );
        refuse(stranger, holdOf(5), error_);
        refuse(seller, holdOf(5), error_);
    }

    function test_gives_back_to_the_owner_by_anyone_from_the_deadline_on() external {
        place(holdOf(5));
        vm.warp(CLOSES);
        vm.expectEmit(address(books));
        emit ILedger.HoldEnded("escrow", 0, module, seller, BOND, 5, CLOSES, false, Holding(100, 0));
        vm.prank(stranger);
        books.releaseHold(holdOf(5));
        assertHolds(seller, BOND, 100, 0);
    }

    /// @dev Trap: pause, lapsed admission or a replaced module that blocks refunds.
    function test_stays_open_under_freeze_suspension_and_a_module_that_was_replaced() external {
        place(holdOf(5));
        place(holdOf(6));
        books.setModule(module, false);
        books.setStanding(seller, Standing.Suspended, 0);
        books.freezeAccount(seller, true, "TEST");
        books.freezeAsset(BOND, true, "TEST");
        authority.setTargetClosed(address(books), true);
        vm.etch(address(authority), "");
        vm.startPrank(module);
        books.releaseHold(holdOf(5));
        vm.stopPrank();
        vm.warp(CLOSES);
        vm.prank(seller);
        books.releaseHold(holdOf(6));
        assertHolds(seller, BOND, 100, 0);
    }
}
