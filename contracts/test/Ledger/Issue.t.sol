// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {ILedger} from "../../src/interfaces/ILedger.sol";
import {Holding, Standing} from "../../src/interfaces/Types.sol";
import {Market} from "../support/Market.sol";

/// @notice Value comes into being (law L2).
contract IssueTest is Market {
    function refuse(uint32 asset, address account, uint128 quantity, bytes memory error_) private {
        bytes memory call_ = abi.encodeCall(books.issue, (asset, account, quantity, "ref"));
        assertReverts(address(this), call_, error_);
    }

    function test_refuses_who_has_not_the_role() external {
        bytes memory call_ = abi.encodeCall(books.issue, (BOND, seller, 1, "ref"));
        bytes4 error_ = IAccessManaged.AccessManagedUnauthorized.selector;
        assertReverts(seller, call_, abi.encodeWithSelector(error_, seller));
    }

    function test_refuses_an_asset_that_is_unknown_or_frozen() external {
        refuse(0, seller, 1, abi.encodeWithSelector(ILedger.AssetUnknown.selector, 0));
        refuse(5, seller, 1, abi.encodeWithSelector(ILedger.AssetUnknown.selector, 5));
        refuse(256 + BOND, seller, 1, abi.encodeWithSelector(ILedger.AssetUnknown.selector, 257));
        books.freezeAsset(BOND, true, "TEST");
        refuse(BOND, seller, 1, abi.encodeWithSelector(ILedger.AssetIsFrozen.selector, BOND));
    }

    function test_refuses_an_account_that_is_not_admitted() external {
        bytes4 error_ = ILedger.AccountNotAdmitted.selector;
        refuse(BOND, stranger, 1, abi.encodeWithSelector(error_, stranger, Standing.Unknown));
        refuse(BOND, address(0), 1, abi.encodeWithSelector(error_, address(0), Standing.Unknown));
        books.setStanding(seller, Standing.Suspended, 0);
        refuse(BOND, seller, 1, abi.encodeWithSelector(error_, seller, Standing.Suspended));
    }

    function test_refuses_nothing() external {
        refuse(BOND, seller, 0, abi.encodeWithSelector(ILedger.QuantityIsZero.selector));
    }

    function test_refuses_a_supply_beyond_128_bits_and_takes_the_last_unit() external {
        give(seller, BOND, type(uint128).max - 1);
        bytes4 error_ = ILedger.SupplyTooLarge.selector;
        uint256 most = type(uint128).max;
        refuse(BOND, buyer, 2, abi.encodeWithSelector(error_, BOND, most + 1, most));
        give(buyer, BOND, 1);
        refuse(BOND, buyer, 1, abi.encodeWithSelector(error_, BOND, most + 1, most));
        assertEq(books.totalSupply(BOND), most);
    }

    function test_adds_to_the_holding_and_the_supply_and_tells_both() external {
        give(seller, BOND, 5);
        vm.expectEmit(address(books));
        emit ILedger.Issued(BOND, seller, "ref", 7, Holding(12, 0), 12);
        books.issue(BOND, seller, 7, "ref");
        assertHolds(seller, BOND, 12, 0);
        assertEq(books.totalSupply(BOND), 12);
        assertEq(books.totalSupply(SHARE), 0);
    }

    function test_credits_a_frozen_account() external {
        books.freezeAccount(seller, true, "TEST");
        give(seller, BOND, 5);
        assertHolds(seller, BOND, 5, 0);
    }
}
