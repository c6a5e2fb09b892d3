// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISettlement} from "../../src/interfaces/ISettlement.sol";
import {
    Instruction,
    MAX_BATCH_LEGS,
    MAX_LEGS,
    Reason,
    SignedInstruction,
    Standing
} from "../../src/interfaces/Types.sol";
import {Signatures} from "../../src/libraries/Signatures.sol";
import {Cheats} from "../support/Cheats.sol";
import {Market} from "../support/Market.sol";
import {Wallet} from "../support/Wallet.sol";

/// @notice Many at once, each whole or not at all.
contract SettleManyTest is Market {
    // ---------------------------------------------------------------- refusals of the whole

    function test_refuses_an_empty_batch() external {
        vm.expectRevert(ISettlement.BatchEmpty.selector);
        books.settleMany(new SignedInstruction[](0));
    }

    function test_refuses_more_legs_than_the_bound_before_anything_moves() external {
        fund();
        uint256 many = MAX_BATCH_LEGS / MAX_LEGS;
        SignedInstruction[] memory batch = new SignedInstruction[](many + 1);
        batch[0] = SignedInstruction(dvp(1), signed(dvp(1)));
        for (uint256 k = 1; k <= many; ++k) {
            batch[k].instruction = terms(seller, uint64(k), k == many ? MAX_LEGS - 1 : MAX_LEGS);
        }
        vm.expectRevert(
            abi.encodeWithSelector(ISettlement.BatchTooLarge.selector, MAX_BATCH_LEGS + 1, 400)
        );
        books.settleMany(batch);
        batch[many].instruction = terms(seller, 9, MAX_LEGS - 2);
        assertEq(bytes32(books.settleMany(batch)[0]), 0, "at the bound it goes");
    }

    function test_counts_an_instruction_without_legs_as_one() external {
        SignedInstruction[] memory batch = new SignedInstruction[](MAX_BATCH_LEGS + 1);
        vm.expectRevert(
            abi.encodeWithSelector(ISettlement.BatchTooLarge.selector, MAX_BATCH_LEGS + 1, 400)
        );
        books.settleMany(batch);
    }

    // ---------------------------------------------------------------- each by itself

    function test_settles_what_it_can_and_names_the_reason_of_the_rest() external {
        fund();
        give(agent, EURO, 5);
        Instruction memory poor = dvp(2);
        Instruction memory early = dvp(3);
        early.settleFrom = OPENS + 1;
        Instruction memory good = terms(agent, 1, 1);
        good.legs[0] = leg(EURO, agent, buyer, 5);
        SignedInstruction[] memory batch = new SignedInstruction[](4);
        batch[0] = SignedInstruction(dvp(1), signed(dvp(1)));
        batch[1] = SignedInstruction(poor, signed(poor));
        batch[2] = SignedInstruction(early, signed(early));
        batch[3] = SignedInstruction(good, signed(good));
        bytes4[] memory codes = books.settleMany(batch);
        assertEq(bytes32(codes[0]), bytes32(0));
        assertEq(bytes32(codes[1]), bytes32("LACK"));
        assertEq(bytes32(codes[2]), bytes32("FUTU"));
        assertEq(bytes32(codes[3]), bytes32(0), "the rest goes on");
        assertHolds(buyer, EURO, 5, 0);
    }

    function test_tells_what_is_needed_and_what_is_there_for_each_that_did_not_settle() external {
        give(seller, BOND, 3);
        Instruction memory one = dvp(1);
        SignedInstruction[] memory batch = listOf(one, signed(one));
        bytes32 id = books.idOf(one);
        vm.recordLogs();
        books.settleMany(batch);
        Cheats.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 1);
        assertEq(logs[0].topics[0], ISettlement.InstructionNotSettled.selector);
        assertEq(logs[0].topics[1], id);
        assertEq(logs[0].data, abi.encode(bytes4("LACK"), 0, seller, PIECES, 3));
    }

    function test_settles_in_the_order_given() external {
        give(seller, BOND, 5);
        Instruction memory first = terms(seller, 1, 1);
        first.legs[0] = leg(BOND, seller, buyer, 5);
        Instruction memory then_ = terms(buyer, 1, 1);
        then_.legs[0] = leg(BOND, buyer, agent, 5);
        SignedInstruction[] memory batch = new SignedInstruction[](2);
        batch[1] = SignedInstruction(first, signed(first));
        batch[0] = SignedInstruction(then_, signed(then_));
        uint256 before = vm.snapshotState();
        bytes4[] memory codes = books.settleMany(batch);
        assertEq(bytes32(codes[0]), bytes32("LACK"), "too early in the list");
        vm.revertToState(before);
        (batch[0], batch[1]) = (batch[1], batch[0]);
        codes = books.settleMany(batch);
        assertEq(bytes32(codes[1]), 0);
        assertHolds(agent, BOND, 5, 0);
    }

    function test_settles_the_same_instruction_once() external {
        give(seller, BOND, 3 * PIECES);
        give(buyer, EURO, 3 * PRICE);
        SignedInstruction[] memory batch = new SignedInstruction[](3);
        Instruction memory twin = dvp(1);
        twin.terms = "signed twice";
        batch[0] = SignedInstruction(dvp(1), signed(dvp(1)));
        batch[1] = batch[0];
        batch[2] = SignedInstruction(twin, signed(twin));
        bytes4[] memory codes = books.settleMany(batch);
        assertEq(bytes32(codes[0]), 0);
        assertEq(bytes32(codes[1]), bytes32("XDON"), "the same again");
        assertEq(bytes32(codes[2]), bytes32("XDON"), "another on the same nonce");
        assertHolds(buyer, BOND, PIECES, 0);
    }

    /// @dev What one request brings along, on chain or signed, serves no other of the same batch.
    function test_takes_nothing_of_one_request_for_the_next() external {
        give(seller, BOND, 2 * PIECES);
        give(buyer, EURO, 2 * PRICE);
        books.affirm(dvp(1), signed(dvp(1)));
        vm.prank(seller);
        books.reserve(dvp(1), seller, true, "");
        vm.prank(buyer);
        books.reserve(dvp(1), buyer, true, "");
        SignedInstruction[] memory batch = new SignedInstruction[](3);
        batch[0] = SignedInstruction(dvp(1), nothing);
        batch[1] = SignedInstruction(dvp(2), nothing);
        batch[2] = SignedInstruction(dvp(3), signed(dvp(3)));
        bytes4[] memory codes = books.settleMany(batch);
        assertEq(bytes32(codes[0]), 0);
        assertEq(bytes32(codes[1]), bytes32("XCON"), "consents of the one before");
        assertEq(bytes32(codes[2]), 0);
        assertHolds(seller, BOND, 0, 0);
        assertHolds(buyer, BOND, 2 * PIECES, 0);
    }

    // ---------------------------------------------------------------- hostile wallets

    /// @dev Trap: a reverting receiver that blocks the others.
    function test_goes_on_past_wallets_that_revert_or_burn_or_answer_too_much() external {
        fund();
        Wallet account = wallet("hostile");
        Instruction memory bad = terms(seller, 2, 1);
        bad.legs[0] = leg(BOND, seller, address(account), 1);
        SignedInstruction[] memory batch = new SignedInstruction[](2);
        batch[0] = SignedInstruction(bad, signed(bad));
        batch[1] = SignedInstruction(dvp(1), signed(dvp(1)));
        Wallet.Mood[5] memory moods = [
            Wallet.Mood.Reverts,
            Wallet.Mood.Burns,
            Wallet.Mood.AnswersShort,
            Wallet.Mood.AnswersDirty,
            Wallet.Mood.Writes
        ];
        for (uint256 k = 0; k < moods.length; ++k) {
            account.become(moods[k]);
            uint256 before = vm.snapshotState();
            uint256 start = gasleft();
            bytes4[] memory codes = books.settleMany(batch);
            assertLt(start - gasleft(), 400_000, "a wallet costs no more than its allowance");
            assertEq(bytes32(codes[0]), bytes32("XBAD"));
            assertEq(bytes32(codes[1]), 0, "the other settles");
            vm.revertToState(before);
        }
    }

    /// @dev Whatever gas the caller brings, a good signature is never told to be bad.
    function testFuzz_reverts_whole_when_a_wallet_cannot_get_its_gas(uint256 gasGiven) external {
        fund();
        Wallet account = wallet("honest");
        Instruction memory other = terms(seller, 2, 1);
        other.legs[0] = leg(BOND, seller, address(account), 1);
        give(seller, BOND, 1);
        SignedInstruction[] memory batch = new SignedInstruction[](2);
        batch[0] = SignedInstruction(dvp(1), signed(dvp(1)));
        batch[1] = SignedInstruction(other, signed(other));
        bytes memory call_ = abi.encodeCall(books.settleMany, (batch));
        gasGiven = bound(gasGiven, 30_000, 500_000);
        (bool success, bytes memory answer) = address(books).call{gas: gasGiven}(call_);
        if (success) {
            bytes4[] memory codes = abi.decode(answer, (bytes4[]));
            assertEq(bytes32(codes[0]), 0);
            assertEq(bytes32(codes[1]), 0, "both, or the whole call reverts");
        } else {
            assertHolds(seller, BOND, PIECES + 1, 0);
            if (answer.length != 0) {
                assertEq(bytes32(bytes4(answer)), bytes32(Signatures.NotEnoughGas.selector));
            }
        }
    }

    /// @dev A wallet sees no half of a batch, and can begin nothing while it is asked.
    function test_lets_a_wallet_that_calls_back_change_nothing() external {
        fund();
        Wallet account = wallet("re-entrant");
        Instruction memory mine = terms(address(account), 1, 1);
        mine.legs[0] = leg(BOND, seller, address(account), 1);
        Instruction memory inner = dvp(7);
        account.plan(address(books), abi.encodeCall(books.settle, (inner, signed(inner))));
        books.settleMany(listOf(mine, signed(mine)));
        assertHolds(address(account), BOND, 1, 0);
        assertEq(books.nonceStatus(seller, 7), 0, "what it tried inside did not happen");
        assertHolds(buyer, BOND, 0, 0);
    }

    // ---------------------------------------------------------------- bound

    /// @dev Trap: a batch at the bound that does not fit half a block (60,000,000).
    function test_fits_half_a_block_at_the_bound() external {
        SignedInstruction[] memory batch = new SignedInstruction[](MAX_BATCH_LEGS);
        give(seller, BOND, uint128(MAX_BATCH_LEGS));
        for (uint64 k = 0; k < MAX_BATCH_LEGS; ++k) {
            Instruction memory one = terms(seller, k, 1);
            one.legs[0] = leg(BOND, seller, buyer, 1);
            batch[k] = SignedInstruction(one, signed(one));
        }
        uint256 before = gasleft();
        bytes4[] memory codes = books.settleMany(batch);
        // 900 bytes each, at most 16 gas a byte, are paid on top.
        assertLt(before - gasleft() + MAX_BATCH_LEGS * 900 * 16, 30_000_000);
        for (uint256 k = 0; k < codes.length; ++k) {
            assertEq(bytes32(codes[k]), 0);
        }
    }

    // ---------------------------------------------------------------- one truth

    function testFuzz_gives_the_first_reason_of_whyNot_at_its_turn(uint256 seed) external {
        give(seller, BOND, 2 * PIECES);
        give(buyer, EURO, 3 * PRICE);
        SignedInstruction[] memory batch = new SignedInstruction[](6);
        for (uint64 k = 0; k < 6; ++k) {
            uint256 dice = uint256(keccak256(abi.encode(seed, k)));
            Instruction memory one = dvp(uint64(dice % 3));
            one.terms = bytes32(dice >> 8 & 1);
            if (dice >> 16 & 7 == 0) one.settleFrom += 1;
            bytes[] memory signatures = signed(one);
            if (dice >> 24 & 7 == 0) signatures[1] = "";
            batch[k] = SignedInstruction(one, signatures);
        }
        if (seed & 15 == 0) books.setStanding(buyer, Standing.Suspended, 0);
        uint256 before = vm.snapshotState();
        bytes4[] memory expected = new bytes4[](6);
        for (uint64 k = 0; k < 6; ++k) {
            Reason[] memory reasons = books.whyNot(batch[k].instruction, batch[k].signatures);
            if (reasons.length == 0) books.settle(batch[k].instruction, batch[k].signatures);
            else expected[k] = reasons[0].code;
        }
        vm.revertToState(before);
        assertEq(abi.encode(books.settleMany(batch)), abi.encode(expected));
    }
}
