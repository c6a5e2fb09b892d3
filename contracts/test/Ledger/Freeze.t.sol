// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {ILedger} from "../../src/interfaces/ILedger.sol";
import {Account, AssetClass, Standing} from "../../src/interfaces/Types.sol";
import {Market} from "../support/Market.sol";

/// @notice What stops debits, and who may say so.
contract FreezeTest is Market {
    function test_refuses_every_restricted_call_of_a_plain_key() external {
        bytes[6] memory calls = [
            abi.encodeCall(books.setStanding, (seller, Standing.Admitted, 0)),
            abi.encodeCall(books.freezeAccount, (seller, true, "TEST")),
            abi.encodeCall(books.freezeAsset, (BOND, true, "TEST")),
            abi.encodeCall(books.createAsset, (AssetClass.Other, 0, "X", seller)),
            abi.encodeCall(books.setModule, (seller, true)),
            abi.encodeCall(books.issue, (BOND, seller, 1, "ref"))
        ];
        bytes4 error_ = IAccessManaged.AccessManagedUnauthorized.selector;
        for (uint256 k = 0; k < calls.length; ++k) {
            assertReverts(seller, calls[k], abi.encodeWithSelector(error_, seller));
        }
        bytes memory call_ = abi.encodeCall(books.setAuthority, (seller));
        assertReverts(seller, call_, abi.encodeWithSelector(error_, seller));
    }

    /// @dev Trap: events missing for a privileged change.
    function test_tells_every_privileged_change() external {
        bytes[6] memory calls = [
            abi.encodeCall(books.setStanding, (seller, Standing.Suspended, 1)),
            abi.encodeCall(books.freezeAccount, (seller, true, "TEST")),
            abi.encodeCall(books.freezeAsset, (BOND, true, "TEST")),
            abi.encodeCall(books.createAsset, (AssetClass.Other, 0, "X", seller)),
            abi.encodeCall(books.setModule, (seller, true)),
            abi.encodeCall(books.issue, (EURO, buyer, 1, "ref"))
        ];
        for (uint256 k = 0; k < calls.length; ++k) {
            vm.recordLogs();
            (bool success,) = address(books).call(calls[k]);
            assertTrue(success);
            assertEq(vm.getRecordedLogs().length, 1, "one change, one event");
        }
    }

    function test_refuses_to_freeze_an_asset_that_does_not_exist() external {
        vm.expectRevert(abi.encodeWithSelector(ILedger.AssetUnknown.selector, 9));
        books.freezeAsset(9, false, "TEST");
    }

    function test_freezes_and_thaws_with_a_reason_that_is_told() external {
        vm.expectEmit(address(books));
        emit ILedger.AssetFrozen(BOND, true, "SANC");
        books.freezeAsset(BOND, true, "SANC");
        assertTrue(books.assetOf(BOND).frozen);
        books.freezeAsset(BOND, false, "SANC");
        assertFalse(books.assetOf(BOND).frozen);
        vm.expectEmit(address(books));
        emit ILedger.AccountFrozen(seller, true, "SANC");
        books.freezeAccount(seller, true, "SANC");
        assertTrue(books.accountOf(seller).frozen);
        fund();
        assertUnsettled(dvp(1), reasonOf("BLOC", 0, seller));
        books.freezeAccount(seller, false, "SANC");
        settle(dvp(1));
    }

    function test_keeps_a_freeze_through_every_change_of_standing() external {
        books.freezeAccount(stranger, true, "SANC");
        books.setStanding(stranger, Standing.Admitted, 7);
        books.setStanding(stranger, Standing.Suspended, 8);
        assertEq(
            abi.encode(books.accountOf(stranger)),
            abi.encode(Account(Standing.Suspended, true, 8, 0))
        );
    }
}
