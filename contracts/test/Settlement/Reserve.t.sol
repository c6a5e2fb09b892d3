// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAffirmation} from "../../src/interfaces/IAffirmation.sol";
import {ILedger} from "../../src/interfaces/ILedger.sol";
import {Holding, Instruction, Reason, Standing} from "../../src/interfaces/Types.sol";
import {Cheats} from "../support/Cheats.sol";
import {Market} from "../support/Market.sol";

/// @notice Holding what an account delivers under a live instruction, in place.
contract ReserveTest is Market {
    function setUp() public override {
        super.setUp();
        fund();
    }

    /// @dev Live with the consent of the seller, its initiator, alone.
    function live(uint64 nonce) private returns (Instruction memory one) {
        one = dvp(nonce);
        vm.prank(seller);
        books.affirm(one, new bytes[](2));
    }

    function refuse(
        address caller,
        Instruction memory one,
        address account,
        bytes memory signature,
        Reason memory reason
    ) private {
        bytes memory call_ = abi.encodeCall(books.reserve, (one, account, true, signature));
        assertRefused(caller, call_, one, reason);
    }

    function stateOf(Instruction memory one)
        private
        view
        returns (uint16 consents, uint8 reserved, uint8 committed)
    {
        (consents, reserved, committed,) = books.liveState(books.idOf(one));
    }

    // ---------------------------------------------------------------- refusals

    function test_refuses_a_nonce_that_has_ended() external {
        settle(dvp(1));
        refuse(seller, dvp(1), seller, "", reasonOf("XDON", 0, seller, 0, 1));
    }

    function test_refuses_from_settleBy_on() external {
        Instruction memory one = live(1);
        vm.warp(CLOSES);
        refuse(seller, one, seller, "", reasonOf("ADEA", 0, seller, CLOSES, CLOSES));
    }

    function test_refuses_what_is_not_live() external {
        refuse(seller, dvp(1), seller, "", reasonOf("XCON", 0, seller));
    }

    function test_refuses_who_delivers_nothing() external {
        Instruction memory one = terms(seller, 1, 1);
        one.legs[0] = leg(BOND, seller, buyer, PIECES);
        vm.prank(seller);
        books.affirm(one, new bytes[](2));
        refuse(buyer, one, buyer, "", reasonOf("XPTY", 0, buyer));
        refuse(stranger, one, stranger, "", reasonOf("XPTY", 0, stranger));
    }

    function test_refuses_a_suspended_account() external {
        Instruction memory one = live(1);
        books.setStanding(seller, Standing.Suspended, 0);
        refuse(seller, one, seller, "", reasonOf("XSUS", 0, seller));
    }

    function test_refuses_who_has_withdrawn() external {
        Instruction memory one = live(1);
        vm.prank(buyer);
        books.withdraw(one, buyer, "");
        refuse(buyer, one, buyer, "", reasonOf("XWDR", 1, buyer));
        bytes memory signature = signatureBy(buyer, reservationOf(buyer, books.idOf(one), true));
        refuse(stranger, one, buyer, signature, reasonOf("XWDR", 1, buyer));
    }

    function test_refuses_a_signed_message_that_has_served() external {
        Instruction memory one = live(1);
        bytes memory signature = signatureBy(seller, reservationOf(seller, books.idOf(one), true));
        books.reserve(one, seller, true, signature);
        vm.prank(seller);
        books.release(one, seller, "");
        refuse(stranger, one, seller, signature, reasonOf("XONC", 0, seller));
        vm.prank(seller);
        books.reserve(one, seller, true, "");
    }

    function test_refuses_a_signature_of_somebody_else_or_over_another_message() external {
        Instruction memory one = live(1);
        bytes32 id = books.idOf(one);
        Reason memory bad = reasonOf("XBAD", 0, seller);
        refuse(stranger, one, seller, "", bad);
        refuse(stranger, one, seller, signatureBy(buyer, reservationOf(seller, id, true)), bad);
        refuse(stranger, one, seller, signatureBy(seller, reservationOf(seller, id, false)), bad);
        refuse(stranger, one, seller, signatureBy(seller, id), bad);
        refuse(stranger, one, seller, signedAbout(RELEASE, seller, id), bad);
        refuse(stranger, one, seller, signatureBy(seller, cancellationOf(seller, id, CLOSES)), bad);
    }

    function test_refuses_a_frozen_account() external {
        Instruction memory one = live(1);
        books.freezeAccount(seller, true, "TEST");
        refuse(seller, one, seller, "", reasonOf("BLOC", 0, seller));
    }

    function test_refuses_a_frozen_asset() external {
        Instruction memory one = live(1);
        books.freezeAsset(BOND, true, "TEST");
        refuse(seller, one, seller, "", reasonOf("SBLO", 0, address(this), BOND, 0));
    }

    function test_refuses_a_lack_and_holds_no_part() external {
        Instruction memory one = terms(seller, 1, 2);
        one.legs[0] = leg(BOND, seller, buyer, PIECES);
        one.legs[1] = leg(BOND, seller, agent, 1);
        vm.prank(seller);
        books.affirm(one, new bytes[](3));
        refuse(seller, one, seller, "", reasonOf("LACK", 1, seller, 1, 0));
        assertHolds(seller, BOND, PIECES, 0);
    }

    function test_refuses_what_changes_nothing() external {
        Instruction memory one = live(1);
        vm.startPrank(seller);
        books.reserve(one, seller, true, "");
        vm.stopPrank();
        refuse(seller, one, seller, "", reasonOf("XRSV", 0, seller));
        // Committed does not become withdrawable.
        bytes memory call_ = abi.encodeCall(books.reserve, (one, seller, false, ""));
        assertRefused(seller, call_, one, reasonOf("XRSV", 0, seller));
    }

    // ---------------------------------------------------------------- effects

    function test_holds_what_the_account_delivers_and_records_its_consent() external {
        Instruction memory one = live(1);
        bytes32 id = books.idOf(one);
        vm.recordLogs();
        vm.prank(buyer);
        books.reserve(one, buyer, false, "");
        Cheats.Log[] memory logs = vm.getRecordedLogs();
        assertHolds(buyer, EURO, 0, PRICE);
        (uint16 consents, uint8 reserved, uint8 committed) = stateOf(one);
        assertEq(consents, 3);
        assertEq(reserved, 2);
        assertEq(committed, 0);
        assertEq(logs.length, 3, "held, affirmed, reserved");
        assertEq(logs[0].topics[0], ILedger.HoldPlaced.selector);
        assertEq(
            logs[0].data,
            abi.encode(1, address(books), buyer, EURO, PRICE, CLOSES, Holding(0, PRICE))
        );
        assertEq(logs[1].topics[0], IAffirmation.InstructionAffirmed.selector);
        assertEq(logs[2].topics[0], IAffirmation.Reserved.selector);
        assertEq(logs[2].topics[1], id);
    }

    function test_serves_a_signed_message_that_anyone_brings() external {
        Instruction memory one = live(1);
        bytes memory signature = signatureBy(buyer, reservationOf(buyer, books.idOf(one), true));
        vm.prank(stranger);
        books.reserve(one, buyer, true, signature);
        assertHolds(buyer, EURO, 0, PRICE);
    }

    function test_turns_withdrawable_into_committed_without_holding_twice() external {
        Instruction memory one = live(1);
        vm.startPrank(seller);
        books.reserve(one, seller, false, "");
        books.reserve(one, seller, true, "");
        vm.stopPrank();
        (, uint8 reserved, uint8 committed) = stateOf(one);
        assertEq(reserved, 1);
        assertEq(committed, 1);
        assertHolds(seller, BOND, 0, PIECES);
    }

    function test_holds_every_leg_of_the_account() external {
        Instruction memory one = terms(seller, 1, 3);
        one.legs[0] = leg(BOND, seller, buyer, 60);
        one.legs[1] = leg(EURO, buyer, seller, PRICE);
        one.legs[2] = leg(BOND, seller, agent, 40);
        vm.startPrank(seller);
        books.affirm(one, new bytes[](3));
        books.reserve(one, seller, true, "");
        vm.stopPrank();
        (, uint8 reserved, uint8 committed) = stateOf(one);
        assertEq(reserved, 5);
        assertEq(committed, 5);
        assertHolds(seller, BOND, 0, PIECES);
    }

    function test_keeps_what_is_held_from_every_other_use() external {
        Instruction memory one = live(1);
        vm.prank(seller);
        books.reserve(one, seller, false, "");
        Instruction memory other = live(2);
        refuse(seller, other, seller, "", reasonOf("LACK", 0, seller, PIECES, 0));
        assertEq(books.balanceOf(seller, BOND), PIECES, "title is unmoved");
    }
}
