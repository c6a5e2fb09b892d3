// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Standing} from "../../src/interfaces/Types.sol";
import {Market} from "../support/Market.sol";

/// @notice The reads of ERC-6909, and nothing else of it.
contract ReadTest is Market {
    function test_reads_as_erc_6909() external {
        fund();
        vm.startPrank(seller);
        books.affirm(dvp(1), new bytes[](2));
        books.reserve(dvp(1), seller, false, "");
        vm.stopPrank();
        assertEq(books.balanceOf(seller, BOND), PIECES, "held counts");
        assertEq(books.totalSupply(BOND), PIECES);
        assertEq(books.symbol(BOND), "XS0000000009");
        assertEq(books.symbol(EURO), "EUR");
        assertEq(books.decimals(EURO), 2);
        assertEq(books.allowance(seller, buyer, BOND), 0);
        assertFalse(books.isOperator(seller, buyer));
    }

    function test_reads_nothing_for_ids_that_no_asset_has() external {
        fund();
        uint256[3] memory ids = [uint256(0), (uint256(1) << 32) | BOND, type(uint256).max];
        for (uint256 k = 0; k < ids.length; ++k) {
            assertEq(books.balanceOf(seller, ids[k]), 0);
            assertEq(books.totalSupply(ids[k]), 0);
            assertEq(books.decimals(ids[k]), 0);
            assertEq(books.symbol(ids[k]), "");
        }
    }

    /// @dev There is no free transfer and no approval, by any of their names.
    function test_has_no_transfer_and_no_approval() external {
        fund();
        bytes[6] memory calls = [
            abi.encodeWithSignature("transfer(address,uint256,uint256)", buyer, BOND, 1),
            abi.encodeWithSignature(
                "transferFrom(address,address,uint256,uint256)", seller, buyer, BOND, 1
            ),
            abi.encodeWithSignature("approve(address,uint256,uint256)", buyer, BOND, 1),
            abi.encodeWithSignature("setOperator(address,bool)", buyer, true),
            abi.encodeWithSignature("transfer(address,uint256)", buyer, 1),
            abi.encodeWithSignature(
                "safeTransferFrom(address,address,uint256,uint256,bytes)",
                seller,
                buyer,
                BOND,
                1,
                ""
            )
        ];
        for (uint256 k = 0; k < calls.length; ++k) {
            assertReverts(seller, calls[k], "");
        }
    }

    function testFuzz_keeps_holdings_of_accounts_and_assets_apart(
        address one,
        address other,
        bool bond
    ) external {
        vm.assume(one != other);
        books.setStanding(one, Standing.Admitted, 0);
        give(one, bond ? BOND : SHARE, 5);
        assertHolds(one, bond ? SHARE : BOND, 0, 0);
        assertHolds(other, bond ? BOND : SHARE, 0, 0);
        assertHolds(one, bond ? BOND : SHARE, 5, 0);
    }
}
