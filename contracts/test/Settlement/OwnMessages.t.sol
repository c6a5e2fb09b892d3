// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Instruction} from "../../src/interfaces/Types.sol";
import {Market} from "../support/Market.sol";

/// @notice What an account ended uses up its own signed messages and nobody else's.
contract OwnMessagesTest is Market {
    function test_takes_the_message_of_one_although_the_other_has_ended_a_reservation() external {
        fund();
        Instruction memory one = dvp(1);
        vm.prank(seller);
        books.affirm(one, new bytes[](2));
        vm.prank(seller);
        books.reserve(one, seller, true, "");
        vm.prank(seller);
        books.release(one, seller, "");
        bytes memory signature = signatureBy(buyer, reservationOf(buyer, books.idOf(one), true));
        vm.prank(stranger);
        books.reserve(one, buyer, true, signature);
        assertHolds(buyer, EURO, 0, PRICE);
    }
}
