// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILedger} from "../../src/interfaces/ILedger.sol";
import {Holding, Instruction, Reason, Standing, Status} from "../../src/interfaces/Types.sol";
import {Market} from "../support/Market.sol";

/// @notice Ending an instruction: by its initiator alone, or by all accounts together.
contract CancelTest is Market {
    event InstructionCancelled(
        bytes32 indexed id, address indexed initiator, uint64 nonce, bool byAll
    );

    bytes[] internal own;

    function setUp() public override {
        super.setUp();
        fund();
        own = new bytes[](1);
    }

    function refuse(
        address caller,
        Instruction memory one,
        bytes[] memory list,
        Reason memory reason
    ) private {
        assertRefused(caller, abi.encodeCall(books.cancel, (one, CLOSES, list)), one, reason);
    }

    // ---------------------------------------------------------------- refusals

    function test_refuses_what_has_ended() external {
        settle(dvp(1));
        refuse(seller, dvp(1), own, reasonOf("XDON", 0, seller, 0, 1));
        vm.prank(seller);
        books.cancel(dvp(2), CLOSES, own);
        refuse(seller, dvp(2), own, reasonOf("XCAN", 0, seller, 0, 2));
    }

    function test_refuses_other_terms_on_a_nonce_that_is_live() external {
        books.affirm(dvp(1), signed(dvp(1)));
        Instruction memory other = dvp(1);
        other.terms = "other terms";
        refuse(seller, other, own, reasonOf("XOCC", 0, seller, 0, 1));
        refuse(stranger, other, cancellationsOf(other), reasonOf("XOCC", 0, seller, 0, 1));
    }

    function test_refuses_from_settleBy_on() external {
        vm.warp(CLOSES);
        refuse(seller, dvp(1), own, reasonOf("ADEA", 0, seller, CLOSES, CLOSES));
    }

    function test_refuses_a_list_that_is_neither_one_nor_all() external {
        Instruction memory one = dvp(1);
        refuse(seller, one, nothing, reasonOf("XSIG", 0, seller, 2, 0));
        refuse(seller, one, new bytes[](3), reasonOf("XSIG", 0, seller, 2, 3));
    }

    /// @dev Who signs first gives no option to who signs last.
    function test_refuses_from_validBy_on() external {
        Instruction memory one = dvp(1);
        books.affirm(one, signed(one));
        bytes32 id = books.idOf(one);
        uint64 validBy = OPENS + 600;
        bytes[] memory list = new bytes[](2);
        list[0] = signatureBy(seller, cancellationOf(seller, id, validBy));
        list[1] = signatureBy(buyer, cancellationOf(buyer, id, validBy));
        // A later end than the signed one is another message.
        bytes memory call_ = abi.encodeCall(books.cancel, (one, validBy + 1, list));
        assertRefused(buyer, call_, one, reasonOf("XBAD", 0, seller));
        vm.warp(validBy);
        call_ = abi.encodeCall(books.cancel, (one, validBy, list));
        assertRefused(buyer, call_, one, reasonOf("XEXP", 0, buyer, validBy, validBy));
        vm.warp(validBy - 1);
        books.cancel(one, validBy, list);
    }

    /// @dev Trap: cancel open to anyone.
    function test_refuses_a_stranger_and_a_counterparty_alone() external {
        refuse(stranger, dvp(1), own, reasonOf("XBAD", 0, seller));
        refuse(buyer, dvp(1), own, reasonOf("XBAD", 0, seller));
        bytes[] memory list = new bytes[](1);
        list[0] = signatureBy(buyer, cancellationOf(seller, books.idOf(dvp(1)), CLOSES));
        refuse(buyer, dvp(1), list, reasonOf("XBAD", 0, seller));
    }

    /// @dev Trap: one-sided cancel after commitment (a free option).
    function test_refuses_the_initiator_alone_once_all_consents_are_on_chain() external {
        books.affirm(dvp(1), signed(dvp(1)));
        refuse(seller, dvp(1), own, reasonOf("XIRR", 0, seller));
        bytes[] memory list = new bytes[](1);
        list[0] = cancellationsOf(dvp(1))[0];
        refuse(stranger, dvp(1), list, reasonOf("XIRR", 0, seller));
    }

    function test_refuses_all_together_while_one_is_missing() external {
        books.affirm(dvp(1), signed(dvp(1)));
        bytes[] memory list = cancellationsOf(dvp(1));
        list[1] = "";
        refuse(seller, dvp(1), list, reasonOf("XBAD", 1, buyer));
        list[1] = list[0];
        refuse(seller, dvp(1), list, reasonOf("XBAD", 1, buyer));
        list[1] = signatureBy(buyer, books.idOf(dvp(1)));
        refuse(seller, dvp(1), list, reasonOf("XBAD", 1, buyer));
    }

    // ---------------------------------------------------------------- effects

    function test_ends_an_open_one_by_the_initiators_own_call() external {
        Instruction memory one = dvp(1);
        vm.expectEmit(address(books));
        emit InstructionCancelled(books.idOf(one), seller, 1, false);
        vm.prank(seller);
        books.cancel(one, CLOSES, own);
        assertTrue(books.statusOf(one) == Status.Cancelled);
    }

    function test_ends_an_open_one_by_the_initiators_signature_that_anyone_brings() external {
        bytes[] memory list = new bytes[](1);
        list[0] = cancellationsOf(dvp(1))[0];
        vm.prank(stranger);
        books.cancel(dvp(1), CLOSES, list);
        assertEq(books.nonceStatus(seller, 1), 2);
    }

    function test_ends_a_live_one_with_its_reservations_before_all_have_consented() external {
        Instruction memory one = terms(seller, 1, 3);
        one.legs[0] = leg(BOND, seller, buyer, PIECES);
        one.legs[1] = leg(EURO, buyer, agent, PRICE);
        one.legs[2] = leg(EURO, agent, seller, PRICE);
        bytes[] memory list = signed(one);
        list[2] = "";
        books.affirm(one, list);
        vm.prank(seller);
        books.reserve(one, seller, true, "");
        vm.prank(buyer);
        books.reserve(one, buyer, false, "");
        vm.prank(seller);
        books.cancel(one, CLOSES, own);
        assertHolds(seller, BOND, PIECES, 0);
        assertHolds(buyer, EURO, PRICE, 0);
        (uint16 consents, uint8 reserved, uint8 committed, uint16 released) =
            books.liveState(books.idOf(one));
        assertEq(uint256(consents) + reserved + committed + released, 0, "nothing is left");
    }

    function test_ends_what_binds_by_all_together() external {
        Instruction memory one = dvp(1);
        books.affirm(one, signed(one));
        vm.prank(seller);
        books.reserve(one, seller, true, "");
        vm.prank(buyer);
        books.reserve(one, buyer, true, "");
        bytes[] memory list = cancellationsOf(one);
        bytes32 id = books.idOf(one);
        vm.expectEmit(address(books));
        emit ILedger.HoldEnded(
            id, 1, address(books), buyer, EURO, PRICE, CLOSES, false, Holding(PRICE, 0)
        );
        vm.expectEmit(address(books));
        emit InstructionCancelled(id, seller, 1, true);
        vm.prank(stranger);
        books.cancel(one, CLOSES, list);
        assertHolds(seller, BOND, PIECES, 0);
        assertHolds(buyer, EURO, PRICE, 0);
        assertUnsettled(one, reasonOf("XCAN", 0, seller, 0, 1));
    }

    function test_counts_the_callers_own_place_as_its_signature() external {
        books.affirm(dvp(1), signed(dvp(1)));
        bytes[] memory list = cancellationsOf(dvp(1));
        list[1] = "";
        vm.prank(buyer);
        books.cancel(dvp(1), CLOSES, list);
        assertEq(books.nonceStatus(seller, 1), 2);
    }

    function test_asks_neither_standing_nor_freeze_nor_authority() external {
        Instruction memory one = dvp(1);
        books.affirm(one, signed(one));
        vm.prank(seller);
        books.reserve(one, seller, true, "");
        books.setStanding(seller, Standing.Suspended, 0);
        books.setStanding(buyer, Standing.Unknown, 0);
        books.freezeAccount(seller, true, "TEST");
        books.freezeAsset(BOND, true, "TEST");
        vm.etch(address(authority), "");
        books.cancel(one, CLOSES, cancellationsOf(one));
        assertHolds(seller, BOND, PIECES, 0);
    }

    function test_ends_nothing_of_another_nonce_or_account() external {
        vm.prank(seller);
        books.cancel(dvp(1), CLOSES, own);
        assertEq(books.nonceStatus(seller, 0), 0);
        assertEq(books.nonceStatus(seller, 2), 0);
        assertEq(books.nonceStatus(buyer, 1), 0);
        settle(dvp(2));
    }
}
