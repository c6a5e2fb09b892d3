// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Instruction, Reason, Standing} from "../../src/interfaces/Types.sol";
import {Market} from "../support/Market.sol";

/// @notice The way out of a reservation (law L5).
contract ReleaseTest is Market {
    Instruction internal one;
    bytes32 internal id;

    function setUp() public override {
        super.setUp();
        fund();
        Instruction memory terms_ = dvp(1);
        one.initiator = terms_.initiator;
        one.nonce = terms_.nonce;
        one.settleFrom = terms_.settleFrom;
        one.settleBy = terms_.settleBy;
        one.tradeRef = terms_.tradeRef;
        one.terms = terms_.terms;
        one.legs.push(terms_.legs[0]);
        one.legs.push(terms_.legs[1]);
        id = books.idOf(one);
        vm.prank(seller);
        books.affirm(one, new bytes[](2));
    }

    function reserve(address account, bool committed) private {
        vm.prank(account);
        books.reserve(one, account, committed, "");
    }

    function refuse(
        address caller,
        address account,
        bytes memory signature,
        bytes4 code,
        uint8 index
    ) private {
        bytes memory call_ = abi.encodeCall(books.release, (one, account, signature));
        assertRefused(caller, call_, one, reasonOf(code, index, account));
    }

    function release(address caller, address account, bytes memory signature) private {
        vm.prank(caller);
        books.release(one, account, signature);
    }

    // ---------------------------------------------------------------- refusals

    function test_refuses_where_nothing_is_reserved() external {
        refuse(seller, seller, "", "XRSV", 0);
        reserve(seller, false);
        refuse(buyer, buyer, "", "XRSV", 0);
        refuse(stranger, stranger, "", "XRSV", 0);
        release(seller, seller, "");
        refuse(seller, seller, "", "XRSV", 0);
    }

    function test_refuses_once_it_binds() external {
        reserve(seller, true);
        reserve(buyer, true);
        refuse(seller, seller, "", "XBND", 0);
        refuse(buyer, buyer, "", "XBND", 0);
        refuse(stranger, buyer, signedAbout(RELEASE, buyer, id), "XBND", 0);
    }

    function test_refuses_a_stranger_before_the_deadline() external {
        reserve(seller, false);
        refuse(stranger, seller, "", "XBAD", 0);
        refuse(buyer, seller, signatureBy(buyer, about(RELEASE, seller, id)), "XBAD", 0);
        vm.warp(CLOSES - 1);
        refuse(stranger, seller, "", "XBAD", 0);
    }

    function test_refuses_a_signature_over_another_message() external {
        reserve(seller, false);
        refuse(stranger, seller, signedAbout(WITHDRAWAL, seller, id), "XBAD", 0);
        refuse(stranger, seller, signatureBy(seller, cancellationOf(seller, id, CLOSES)), "XBAD", 0);
        refuse(stranger, seller, signatureBy(seller, id), "XBAD", 0);
    }

    function test_refuses_a_signed_message_that_has_served() external {
        bytes memory signature = signedAbout(RELEASE, seller, id);
        reserve(seller, false);
        release(stranger, seller, signature);
        reserve(seller, false);
        refuse(stranger, seller, signature, "XONC", 0);
        release(seller, seller, "");
    }

    // ---------------------------------------------------------------- effects

    function test_gives_the_value_back_to_its_owner_only() external {
        reserve(seller, false);
        release(seller, seller, "");
        assertHolds(seller, BOND, PIECES, 0);
        (uint16 consents, uint8 reserved, uint8 committed, uint16 released) = books.liveState(id);
        assertEq(consents, 1, "consent stays");
        assertEq(reserved, 0);
        assertEq(committed, 0);
        assertEq(released, 1);
    }

    function test_serves_a_signed_message_that_anyone_brings() external {
        reserve(seller, true);
        release(stranger, seller, signedAbout(RELEASE, seller, id));
        assertHolds(seller, BOND, PIECES, 0);
    }

    /// @dev Nobody gives a free option by going first.
    function test_lets_who_committed_first_go_until_the_last_one_commits() external {
        reserve(seller, true);
        release(seller, seller, "");
        reserve(seller, true);
        reserve(buyer, false);
        release(seller, seller, "");
        assertHolds(seller, BOND, PIECES, 0);
    }

    function test_ends_a_withdrawable_one_although_all_have_consented() external {
        books.affirm(one, signed(one));
        reserve(seller, false);
        reserve(buyer, true);
        release(seller, seller, "");
        release(buyer, buyer, "");
        assertHolds(seller, BOND, PIECES, 0);
        assertHolds(buyer, EURO, PRICE, 0);
    }

    /// @dev Law L7: at no instant are settling and reclaiming both possible, at none neither.
    function test_from_settleBy_on_anyone_releases_and_nobody_settles() external {
        reserve(seller, true);
        reserve(buyer, true);
        vm.warp(CLOSES - 1);
        refuse(seller, seller, "", "XBND", 0);
        uint256 before = vm.snapshotState();
        books.settle(one, nothing);
        vm.revertToState(before);
        vm.warp(CLOSES);
        assertUnsettled(one, nothing, reasonOf("ADEA", 0, seller, CLOSES, CLOSES));
        release(stranger, seller, "");
        release(stranger, buyer, "");
        assertHolds(seller, BOND, PIECES, 0);
        assertHolds(buyer, EURO, PRICE, 0);
    }

    /// @dev Trap: pause, lapsed admission or a freeze that blocks refunds.
    function test_asks_neither_standing_nor_freeze_nor_authority() external {
        reserve(seller, false);
        reserve(buyer, false);
        books.setStanding(seller, Standing.Suspended, 0);
        books.freezeAccount(seller, true, "TEST");
        books.freezeAsset(BOND, true, "TEST");
        books.setStanding(buyer, Standing.Unknown, 0);
        authority.setTargetClosed(address(books), true);
        vm.etch(address(authority), "");
        release(seller, seller, "");
        release(buyer, buyer, "");
        assertHolds(seller, BOND, PIECES, 0);
        assertHolds(buyer, EURO, PRICE, 0);
    }

    /// @dev Trap: one bad leg that blocks the recovery of the other.
    function test_is_not_blocked_by_a_leg_that_can_never_settle() external {
        Instruction memory two = terms(seller, 2, 3);
        two.legs[0] = leg(BOND, seller, buyer, PIECES);
        two.legs[1] = leg(77, buyer, seller, PRICE);
        two.legs[2] = leg(EURO, address(0), seller, PRICE);
        vm.startPrank(seller);
        books.affirm(two, new bytes[](3));
        books.reserve(two, seller, true, "");
        books.release(two, seller, "");
        books.reserve(two, seller, true, "");
        vm.stopPrank();
        vm.warp(CLOSES);
        vm.prank(stranger);
        books.release(two, seller, "");
        assertHolds(seller, BOND, PIECES, 0);
    }

    function test_releases_all_legs_of_the_account_and_no_others() external {
        Instruction memory two = terms(seller, 2, 3);
        two.legs[0] = leg(BOND, seller, buyer, 60);
        two.legs[1] = leg(EURO, buyer, seller, PRICE);
        two.legs[2] = leg(BOND, seller, agent, 40);
        vm.startPrank(seller);
        books.affirm(two, new bytes[](3));
        books.reserve(two, seller, true, "");
        vm.stopPrank();
        vm.startPrank(buyer);
        books.reserve(two, buyer, true, "");
        vm.stopPrank();
        vm.prank(seller);
        books.release(two, seller, "");
        assertHolds(seller, BOND, PIECES, 0);
        assertHolds(buyer, EURO, 0, PRICE);
        (, uint8 reserved,,) = books.liveState(books.idOf(two));
        assertEq(reserved, 2);
    }
}
