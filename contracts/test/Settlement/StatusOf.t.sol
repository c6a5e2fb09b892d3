// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Instruction, Reason, Status} from "../../src/interfaces/Types.sol";
import {Market} from "../support/Market.sol";

/// @notice Where an instruction stands, as far as its nonce and the clock tell.
contract StatusOfTest is Market {
    bytes[] internal own;

    function setUp() public override {
        super.setUp();
        own = new bytes[](1);
    }

    function is_(Instruction memory one, Status status) private view {
        assertEq(uint8(books.statusOf(one)), uint8(status));
    }

    function test_is_open_until_somebody_acts() external view {
        is_(dvp(1), Status.Open);
        assertEq(books.nonceStatus(seller, 1), 0);
    }

    /// @dev Trap: a status that is cached when only time moves it.
    function test_is_lapsed_from_settleBy_on_without_a_call() external {
        vm.warp(CLOSES - 1);
        is_(dvp(1), Status.Open);
        vm.warp(CLOSES);
        is_(dvp(1), Status.Lapsed);
    }

    function test_is_live_for_the_terms_that_were_affirmed_only() external {
        books.affirm(dvp(1), signed(dvp(1)));
        is_(dvp(1), Status.Live);
        Instruction memory other = dvp(1);
        other.terms = "other terms";
        is_(other, Status.Open);
        assertUnsettled(other, reasonOf("XOCC", 0, seller, 0, 1));
        vm.warp(CLOSES);
        is_(dvp(1), Status.Lapsed);
    }

    function test_is_settled_and_stays_so() external {
        fund();
        settle(dvp(1));
        is_(dvp(1), Status.Settled);
        vm.warp(CLOSES);
        is_(dvp(1), Status.Settled);
    }

    function test_is_cancelled_and_stays_so() external {
        vm.prank(seller);
        books.cancel(dvp(1), CLOSES, own);
        is_(dvp(1), Status.Cancelled);
        vm.warp(CLOSES);
        is_(dvp(1), Status.Cancelled);
    }

    /// @dev Law L4: an end is an end. Every call after it is refused, also long after.
    function test_never_leaves_an_end() external {
        fund();
        settle(dvp(1));
        vm.prank(seller);
        books.cancel(dvp(2), CLOSES, own);
        staysEnded(dvp(1), "XDON");
        staysEnded(dvp(2), "XCAN");
    }

    function staysEnded(Instruction memory one, bytes4 code) private {
        bytes[] memory all = signed(one);
        Status status = books.statusOf(one);
        bytes[6] memory calls = [
            abi.encodeCall(books.settle, (one, all)),
            abi.encodeCall(books.affirm, (one, all)),
            abi.encodeCall(books.cancel, (one, CLOSES, cancellationsOf(one))),
            abi.encodeCall(books.cancel, (one, CLOSES, own)),
            abi.encodeCall(books.withdraw, (one, buyer, "")),
            abi.encodeCall(books.reserve, (one, seller, true, ""))
        ];
        Reason memory reason = reasonOf(code, 0, seller, 0, one.nonce);
        for (uint256 k = 0; k < calls.length; ++k) {
            assertRefused(k == 4 ? buyer : seller, calls[k], one, reason);
        }
        bytes memory release = abi.encodeCall(books.release, (one, seller, ""));
        assertRefused(seller, release, one, reasonOf("XRSV", 0, seller));
        is_(one, status);
    }
}
