// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILedger} from "../../src/interfaces/ILedger.sol";
import {Asset, AssetClass} from "../../src/interfaces/Types.sol";
import {Market} from "../support/Market.sol";

/// @notice Assets: numbered from one, each with a code of its own.
contract CreateAssetTest is Market {
    function create(bytes12 code) private returns (uint32) {
        return books.createAsset(AssetClass.Security, 0, code, seller);
    }

    function refuseAsset(AssetClass class, uint8 decimals, bytes12 code) private {
        bytes memory call_ = abi.encodeCall(books.createAsset, (class, decimals, code, seller));
        bytes4 error_ = ILedger.AssetInvalid.selector;
        assertReverts(address(this), call_, abi.encodeWithSelector(error_, class, decimals, code));
    }

    function test_refuses_an_asset_without_class_or_with_too_many_decimals() external {
        refuseAsset(AssetClass.None, 0, "CODE");
        refuseAsset(AssetClass.Security, 19, "CODE");
    }

    /// @dev Two codes that print alike are the same.
    function test_refuses_a_code_that_is_empty_or_does_not_print() external {
        refuseAsset(AssetClass.Security, 0, "");
        refuseAsset(AssetClass.Security, 0, bytes12("EUR") | bytes12(uint96(1)));
        refuseAsset(AssetClass.Security, 0, hex"4555520058");
        refuseAsset(AssetClass.Security, 0, hex"00455552");
        refuseAsset(AssetClass.Security, 0, "EU R");
        refuseAsset(AssetClass.Security, 0, hex"45557f");
        refuseAsset(AssetClass.Security, 0, hex"4555d6");
        create("!~");
    }

    function test_refuses_a_code_that_is_taken() external {
        bytes memory call_ = abi.encodeCall(books.createAsset, (AssetClass.Other, 0, "EUR", seller));
        bytes4 error_ = ILedger.AssetCodeTaken.selector;
        assertReverts(address(this), call_, abi.encodeWithSelector(error_, bytes12("EUR"), EURO));
    }

    function test_numbers_assets_from_one_without_a_gap() external {
        assertEq(books.assetCount(), 4);
        vm.expectEmit(address(books));
        emit ILedger.AssetCreated(5, AssetClass.CarbonUnit, 18, "CO2", seller);
        assertEq(books.createAsset(AssetClass.CarbonUnit, 18, "CO2", seller), 5);
        assertEq(books.assetCount(), 5);
        assertEq(books.assetByCode("CO2"), 5);
        assertEq(books.assetByCode("none"), 0);
        Asset memory asset = books.assetOf(5);
        assertEq(
            abi.encode(asset), abi.encode(Asset(AssetClass.CarbonUnit, 18, false, "CO2", seller, 0))
        );
    }

    /// @dev Open assets stand 256 in a word: the last of one, the first of the next.
    function test_keeps_assets_apart_across_the_words_of_open_bits() external {
        for (uint256 k = books.assetCount(); k < 258; ++k) {
            create(bytes12(bytes(string.concat("A", vm.toString(k)))));
        }
        books.freezeAsset(256, true, "TEST");
        give(seller, 255, 1);
        give(seller, 257, 1);
        vm.expectRevert(abi.encodeWithSelector(ILedger.AssetIsFrozen.selector, 256));
        books.issue(256, seller, 1, "ref");
        books.freezeAsset(256, false, "TEST");
        give(seller, 256, 1);
    }
}
