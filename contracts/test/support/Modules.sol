// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Hold} from "../../src/interfaces/Types.sol";
import {Market} from "./Market.sol";

/// @notice What modules may do with value, and what keeps them honest (laws L2, L5, L7).
abstract contract Modules is Market {
    address internal module;
    Hold[] internal noHolds;

    function setUp() public override {
        super.setUp();
        module = named("module");
        books.setModule(module, true);
        give(seller, BOND, 100);
    }

    function holdOf(uint128 quantity) internal view returns (Hold memory) {
        return Hold({
            module: module,
            purpose: "escrow",
            index: 0,
            account: seller,
            asset: BOND,
            quantity: quantity,
            deadline: CLOSES
        });
    }

    function idOf(Hold memory hold) internal pure returns (bytes32) {
        return keccak256(abi.encode(hold));
    }

    function place(Hold memory hold) internal {
        vm.prank(module);
        books.placeHold(hold);
    }
}
