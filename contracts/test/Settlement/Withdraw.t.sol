// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Instruction, Standing} from "../../src/interfaces/Types.sol";
import {Market} from "../support/Market.sol";

/// @notice Taking back one's own consent, before all have consented on chain.
contract WithdrawTest is Market {
    function setUp() public override {
        super.setUp();
        fund();
    }

    function refuse(
        address caller,
        Instruction memory one,
        address account,
        bytes memory signature,
        bytes4 code
    ) private {
        bytes memory call_ = abi.encodeCall(books.withdraw, (one, account, signature));
        assertRefused(caller, call_, one, reasonOf(code, 0, account));
    }

    /// @dev Seller, buyer and agent; the seller initiates.
    function threeParty(uint64 nonce) private view returns (Instruction memory one) {
        one = terms(seller, nonce, 3);
        one.legs[0] = leg(BOND, seller, buyer, PIECES);
        one.legs[1] = leg(EURO, buyer, agent, PRICE);
        one.legs[2] = leg(EURO, agent, seller, PRICE);
    }

    // ---------------------------------------------------------------- refusals

    function test_refuses_a_nonce_that_has_ended_and_from_settleBy_on() external {
        settle(dvp(1));
        bytes memory call_ = abi.encodeCall(books.withdraw, (dvp(1), buyer, ""));
        assertRefused(buyer, call_, dvp(1), reasonOf("XDON", 0, seller, 0, 1));
        vm.warp(CLOSES);
        call_ = abi.encodeCall(books.withdraw, (dvp(2), buyer, ""));
        assertRefused(buyer, call_, dvp(2), reasonOf("ADEA", 0, seller, CLOSES, CLOSES));
    }

    function test_refuses_who_is_no_party_and_the_initiator() external {
        refuse(stranger, dvp(1), stranger, "", "XPTY");
        refuse(seller, dvp(1), seller, "", "XPTY");
    }

    function test_refuses_once_all_consents_are_on_chain() external {
        books.affirm(dvp(1), signed(dvp(1)));
        refuse(buyer, dvp(1), buyer, "", "XIRR");
        bytes memory signature = signedAbout(WITHDRAWAL, buyer, books.idOf(dvp(1)));
        refuse(stranger, dvp(1), buyer, signature, "XIRR");
    }

    function test_refuses_a_second_time() external {
        vm.prank(buyer);
        books.withdraw(dvp(1), buyer, "");
        refuse(buyer, dvp(1), buyer, "", "XWDR");
    }

    function test_refuses_a_signature_of_somebody_else_or_over_another_message() external {
        bytes32 id = books.idOf(dvp(1));
        refuse(stranger, dvp(1), buyer, "", "XBAD");
        refuse(seller, dvp(1), buyer, signatureBy(seller, about(WITHDRAWAL, buyer, id)), "XBAD");
        refuse(seller, dvp(1), buyer, signatureBy(buyer, cancellationOf(buyer, id, CLOSES)), "XBAD");
        refuse(seller, dvp(1), buyer, signedAbout(RELEASE, buyer, id), "XBAD");
        refuse(seller, dvp(1), buyer, signatureBy(buyer, id), "XBAD");
    }

    // ---------------------------------------------------------------- effects

    function test_stops_this_id_for_good_and_no_other() external {
        Instruction memory one = dvp(1);
        bytes[] memory signatures = signed(one);
        vm.prank(buyer);
        books.withdraw(one, buyer, "");
        assertTrue(books.isWithdrawn(buyer, books.idOf(one)));
        assertEq(books.accountOf(buyer).withdrawals, 1);
        assertUnsettled(one, signatures, reasonOf("XWDR", 1, buyer));
        Instruction memory amended = dvp(1);
        amended.terms = "amended";
        settle(amended);
    }

    function test_serves_a_signed_message_that_anyone_brings() external {
        bytes memory signature = signedAbout(WITHDRAWAL, buyer, books.idOf(dvp(1)));
        vm.prank(stranger);
        books.withdraw(dvp(1), buyer, signature);
        assertTrue(books.isWithdrawn(buyer, books.idOf(dvp(1))));
    }

    function test_takes_the_consent_from_chain_and_ends_the_reservation() external {
        Instruction memory one = threeParty(1);
        bytes[] memory list = signed(one);
        list[2] = "";
        books.affirm(one, list);
        vm.prank(buyer);
        books.reserve(one, buyer, true, "");
        vm.prank(seller);
        books.reserve(one, seller, true, "");
        vm.prank(buyer);
        books.withdraw(one, buyer, "");
        (uint16 consents, uint8 reserved, uint8 committed,) = books.liveState(books.idOf(one));
        assertEq(consents, 1, "only the seller");
        assertEq(reserved, 1);
        assertEq(committed, 1);
        assertHolds(buyer, EURO, PRICE, 0);
        assertHolds(seller, BOND, 0, PIECES);
    }

    function test_leaves_the_initiator_free_to_go() external {
        Instruction memory one = threeParty(1);
        vm.startPrank(seller);
        books.affirm(one, new bytes[](3));
        books.reserve(one, seller, true, "");
        vm.stopPrank();
        vm.prank(agent);
        books.withdraw(one, agent, "");
        vm.prank(seller);
        books.cancel(one, CLOSES, new bytes[](1));
        assertHolds(seller, BOND, PIECES, 0);
    }

    function test_asks_neither_standing_nor_freeze_nor_authority() external {
        books.setStanding(buyer, Standing.Suspended, 0);
        books.freezeAccount(buyer, true, "TEST");
        vm.etch(address(authority), "");
        vm.prank(buyer);
        books.withdraw(dvp(1), buyer, "");
        assertTrue(books.accountOf(buyer).frozen, "the freeze stays");
    }

    function test_keeps_the_freeze_and_the_count_when_the_standing_changes() external {
        vm.prank(buyer);
        books.withdraw(dvp(1), buyer, "");
        books.freezeAccount(buyer, true, "TEST");
        books.setStanding(buyer, Standing.Suspended, 0);
        books.setStanding(buyer, Standing.Admitted, 3);
        books.freezeAccount(buyer, false, "TEST");
        assertUnsettled(dvp(1), reasonOf("XWDR", 1, buyer));
    }
}
