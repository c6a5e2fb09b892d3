// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAffirmation} from "../../src/interfaces/IAffirmation.sol";
import {Instruction, MAX_WINDOW, Reason, Standing, Status} from "../../src/interfaces/Types.sol";
import {Market} from "../support/Market.sol";

/// @notice Consents on chain.
contract AffirmTest is Market {
    event InstructionAffirmed(
        bytes32 indexed id, address indexed initiator, uint64 nonce, uint16 consents, uint8 accounts
    );

    bytes[] internal none;

    function setUp() public override {
        super.setUp();
        none = new bytes[](2);
    }

    function refuse(
        address caller,
        Instruction memory one,
        bytes[] memory list,
        bytes4 code,
        uint8 index,
        address who
    ) private {
        assertRefused(
            caller, abi.encodeCall(books.affirm, (one, list)), one, reasonOf(code, index, who)
        );
    }

    function consentsOf(Instruction memory one) private view returns (uint16 consents) {
        (consents,,,) = books.liveState(books.idOf(one));
    }

    // ---------------------------------------------------------------- refusals

    function test_refuses_malformed_terms() external {
        Instruction memory one = dvp(1);
        one.legs[0].receiver = seller;
        refuse(seller, one, none, "XSLF", 0, seller);
    }

    function test_refuses_a_nonce_that_has_ended_or_is_live_for_other_terms() external {
        fund();
        settle(dvp(1));
        bytes memory call_ = abi.encodeCall(books.affirm, (dvp(1), none));
        assertRefused(seller, call_, dvp(1), reasonOf("XDON", 0, seller, 0, 1));
        vm.startPrank(seller);
        books.cancel(dvp(2), CLOSES, new bytes[](1));
        books.affirm(dvp(3), none);
        vm.stopPrank();
        call_ = abi.encodeCall(books.affirm, (dvp(2), none));
        assertRefused(seller, call_, dvp(2), reasonOf("XCAN", 0, seller, 0, 2));
        Instruction memory other = dvp(3);
        other.terms = "other terms";
        call_ = abi.encodeCall(books.affirm, (other, none));
        assertRefused(seller, call_, other, reasonOf("XOCC", 0, seller, 0, 3));
    }

    function test_refuses_from_settleBy_on() external {
        vm.warp(CLOSES);
        bytes memory call_ = abi.encodeCall(books.affirm, (dvp(1), none));
        assertRefused(seller, call_, dvp(1), reasonOf("ADEA", 0, seller, CLOSES, CLOSES));
        vm.warp(CLOSES - 1);
        vm.prank(seller);
        books.affirm(dvp(1), none);
    }

    function test_refuses_a_list_of_another_length() external {
        bytes memory call_ = abi.encodeCall(books.affirm, (dvp(1), new bytes[](3)));
        assertRefused(seller, call_, dvp(1), reasonOf("XSIG", 0, seller, 2, 3));
    }

    /// @dev Who has consented with all others gets out by time alone: law L10.
    function test_refuses_a_deadline_further_than_the_longest_wait() external {
        Instruction memory one = dvp(1);
        one.settleBy = uint64(NOON + MAX_WINDOW + 1);
        Reason memory reason = reasonOf("XFAR", 0, seller, NOON + MAX_WINDOW, one.settleBy);
        bytes[] memory list = signed(one);
        assertRefused(stranger, abi.encodeCall(books.affirm, (one, list)), one, reason);
        // Before what is wrong with a consent.
        list[1] = list[0];
        assertRefused(stranger, abi.encodeCall(books.affirm, (one, list)), one, reason);
        elapse(1);
        vm.prank(stranger);
        books.affirm(one, signed(one));
        assertEq(consentsOf(one), 3);
    }

    function test_refuses_who_is_not_admitted_or_suspended() external {
        books.setStanding(seller, Standing.Suspended, 0);
        refuse(seller, dvp(1), none, "XSUS", 0, seller);
        books.setStanding(seller, Standing.Unknown, 0);
        refuse(seller, dvp(1), none, "XADM", 0, seller);
    }

    function test_refuses_who_has_withdrawn_from_this_id() external {
        vm.prank(buyer);
        books.withdraw(dvp(1), buyer, "");
        refuse(stranger, dvp(1), signed(dvp(1)), "XWDR", 1, buyer);
    }

    function test_refuses_a_signature_of_somebody_else() external {
        bytes[] memory list = signed(dvp(1));
        list[1] = list[0];
        refuse(stranger, dvp(1), list, "XBAD", 1, buyer);
    }

    function test_refuses_what_brings_nothing_new() external {
        refuse(stranger, dvp(1), none, "XNIL", 0, stranger);
        vm.prank(seller);
        books.affirm(dvp(1), none);
        refuse(seller, dvp(1), none, "XNIL", 0, seller);
    }

    /// @dev Nobody burns or occupies the nonces of another by affirming first.
    function test_refuses_to_make_a_nonce_live_without_its_initiator() external {
        refuse(buyer, dvp(1), none, "XCON", 0, seller);
        bytes[] memory list = signed(dvp(1));
        list[0] = "";
        refuse(stranger, dvp(1), list, "XCON", 0, seller);
        assertEq(books.nonceStatus(seller, 1), 0, "still open");
    }

    // ---------------------------------------------------------------- effects

    function test_makes_the_nonce_live_with_the_initiators_own_call() external {
        vm.expectEmit(address(books));
        emit InstructionAffirmed(books.idOf(dvp(1)), seller, 1, 1, 2);
        vm.prank(seller);
        books.affirm(dvp(1), none);
        assertEq(books.nonceStatus(seller, 1), 3, "live");
        assertTrue(books.statusOf(dvp(1)) == Status.Live);
        assertEq(consentsOf(dvp(1)), 1);
    }

    function test_takes_all_signatures_in_one_call_of_anybody() external {
        bytes[] memory list = signed(dvp(1));
        vm.prank(stranger);
        books.affirm(dvp(1), list);
        assertEq(consentsOf(dvp(1)), 3);
    }

    function test_adds_the_consents_one_after_another() external {
        vm.prank(seller);
        books.affirm(dvp(1), none);
        vm.prank(buyer);
        books.affirm(dvp(1), none);
        assertEq(consentsOf(dvp(1)), 3);
    }

    function test_moves_no_value_and_asks_for_none() external {
        books.affirm(dvp(1), signed(dvp(1)));
        assertHolds(seller, BOND, 0, 0);
    }

    /// @dev Trap: consent checked once and revocable later; one-sided cancel after matching (a free option).
    function test_leaves_nobody_a_way_out_of_its_own_once_all_have_consented() external {
        Instruction memory one = dvp(1);
        books.affirm(one, signed(one));
        bytes memory call_ = abi.encodeCall(books.withdraw, (one, buyer, ""));
        assertRefused(buyer, call_, one, reasonOf("XIRR", 0, buyer));
        call_ = abi.encodeCall(books.cancel, (one, CLOSES, new bytes[](1)));
        assertRefused(seller, call_, one, reasonOf("XIRR", 0, seller));
        // Neither by other terms on the same nonce, nor by redeeming with it.
        Instruction memory other = dvp(1);
        other.terms = "other terms";
        call_ = abi.encodeCall(books.cancel, (other, CLOSES, new bytes[](1)));
        assertRefused(seller, call_, other, reasonOf("XOCC", 0, seller, 0, 1));
        fund();
        books.settle(one, nothing);
    }

    function test_keeps_a_consent_of_a_wallet_that_later_refuses() external {
        // Consent was given over the exact terms; what the wallet says afterwards changes nothing.
        Instruction memory one = dvp(1);
        address account = address(wallet("owner"));
        one.legs[0].receiver = one.legs[1].deliverer = account;
        books.affirm(one, signed(one));
        vm.etch(account, "");
        fund();
        give(account, EURO, PRICE);
        books.settle(one, nothing);
        assertHolds(account, BOND, PIECES, 0);
    }

    function test_consents_alone_never_settle_for_one_suspended_since() external {
        fund();
        books.affirm(dvp(1), signed(dvp(1)));
        books.setStanding(buyer, Standing.Suspended, 0);
        assertUnsettled(dvp(1), nothing, reasonOf("XSUS", 1, buyer));
    }
}
