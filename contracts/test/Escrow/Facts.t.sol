// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EscrowTerms, IEscrow, Outcome} from "../../src/interfaces/IEscrow.sol";
import {Instruction, Leg, OPTION_RECORD} from "../../src/interfaces/Types.sol";
import {Typed} from "../../src/libraries/Typed.sol";
import {EscrowActs} from "../support/EscrowActs.sol";
import {PriceFeed} from "../support/PriceFeed.sol";

/// @notice What the chain itself knows: time, feeds, instructions that settled or cannot, other milestones.
contract FactsTest is EscrowActs {
    PriceFeed private feed;

    function setUp() public override {
        super.setUp();
        feed = PriceFeed(vm.deployCode("PriceFeed.sol:PriceFeed"));
    }

    function meets(EscrowTerms memory escrow, bytes[] memory evidence) private {
        uint256 before = vm.snapshotState();
        vm.prank(stranger);
        books.endByCondition(escrow, 0, evidence);
        assertOutcome(escrow, 0, Outcome.Released);
        vm.revertToStateAndDelete(before);
    }

    // ---------------------------------------------------------------- time

    function test_takes_an_instant_from_its_own_second_on() external {
        uint64 instant = uint64(NOON + 3 days);
        EscrowTerms memory escrow = escrowOf(timeAt(instant));
        open(escrow);
        vm.warp(instant - 1);
        isNotMet(escrow, nothing);
        vm.warp(instant);
        meets(escrow, nothing);
    }

    // ---------------------------------------------------------------- feeds

    function round(uint80 number) private pure returns (bytes memory) {
        return abi.encodePacked(number);
    }

    function other(uint256 given, uint256 wanted) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IEscrow.ReadingOfAnotherRound.selector, 0, given, wanted);
    }

    function silent() private view returns (bytes memory) {
        return abi.encodeWithSelector(IEscrow.FeedSilent.selector, 0, address(feed));
    }

    function test_takes_the_round_of_a_feed_that_the_terms_fix() external {
        EscrowTerms memory escrow = escrowOf(feedOf(address(feed), 0, 7, -5, 5));
        open(escrow);
        refusesProof(escrow, round(7), silent());
        feed.tell(7, -5, NOON);
        meets(escrow, listed(round(7)));
        feed.tell(7, 6, NOON);
        isNotMet(escrow, listed(round(7)));
        // Compared in 256 bits: what fits after a cut does not count.
        feed.tell(7, int256(2 ** 128 + 1), NOON);
        isNotMet(escrow, listed(round(7)));
        feed.tell(8, 0, NOON);
        refusesProof(escrow, round(8), other(8, 7));
        isNotMet(escrow, listed(""));
        refusesProof(
            escrow,
            hex"00000000000000000007ff",
            abi.encodeWithSelector(IEscrow.EvidenceInvalid.selector, 0)
        );
    }

    function test_refuses_a_round_from_before_the_opening_or_after_now() external {
        EscrowTerms memory escrow = escrowOf(feedOf(address(feed), 0, 7, 0, 9));
        open(escrow);
        feed.tell(7, 5, NOON - 1);
        refusesProof(
            escrow,
            round(7),
            abi.encodeWithSelector(IEscrow.EvidenceStale.selector, 0, NOON - 1, NOON)
        );
        feed.tell(7, 5, NOON + 1);
        refusesProof(escrow, round(7), silent());
    }

    function test_takes_the_first_round_from_an_instant_on_and_no_later_one() external {
        uint64 instant = OPEN_BY + 1 hours;
        EscrowTerms memory escrow = escrowOf(feedOf(address(feed), 1, instant, 0, 9));
        open(escrow);
        vm.warp(instant + 1 hours);
        refusesProof(escrow, round(0), other(0, instant));
        feed.tell(3, 50, instant - 1);
        feed.tell(4, 5, instant);
        feed.tell(5, 6, instant + 1);
        refusesProof(escrow, round(3), other(3, instant));
        refusesProof(escrow, round(5), other(5, instant));
        meets(escrow, listed(round(4)));
        // Without a round before it nobody knows that it is the first.
        feed.tell(3, 50, 0);
        refusesProof(escrow, round(4), other(4, instant));
    }

    function test_refuses_a_feed_that_fails_or_speaks_of_another_round() external {
        EscrowTerms memory escrow = escrowOf(feedOf(address(feed), 0, 7, 0, 9));
        open(escrow);
        feed.tell(7, 5, NOON);
        PriceFeed.Mood[4] memory moods = [
            PriceFeed.Mood.SaysLatest,
            PriceFeed.Mood.AnswersShort,
            PriceFeed.Mood.Reverts,
            PriceFeed.Mood.Burns
        ];
        for (uint256 k = 0; k < moods.length; ++k) {
            feed.become(moods[k]);
            refusesProof(escrow, round(7), silent());
        }
        // One that says too much makes nobody pay for it.
        feed.become(PriceFeed.Mood.AnswersLong);
        meets(escrow, listed(round(7)));
    }

    function test_refuses_a_feed_without_code() external {
        EscrowTerms memory escrow = escrowOf(feedOf(third, 0, 7, 0, 9));
        open(escrow);
        bytes memory error_ = abi.encodeWithSelector(IEscrow.FeedSilent.selector, 0, third);
        refusesProof(escrow, round(7), error_);
    }

    // ---------------------------------------------------------------- instructions

    function recorded(uint64 nonce) private view returns (Instruction memory one) {
        one = dvp(nonce);
        one.options = OPTION_RECORD;
    }

    function test_knows_exactly_the_instruction_that_settled() external {
        Instruction memory one = recorded(1);
        EscrowTerms memory escrow = escrowOf(settledIs(books.idOf(one)));
        open(escrow);
        isNotMet(escrow, nothing);
        // Its nonce settled, by other terms.
        Instruction memory twin = recorded(1);
        twin.terms = "other";
        uint256 before = vm.snapshotState();
        settle(twin);
        isNotMet(escrow, nothing);
        vm.revertToStateAndDelete(before);
        settle(one);
        assertTrue(books.isRecordedSettled(books.idOf(one)));
        meets(escrow, nothing);
    }

    function test_remembers_no_instruction_that_did_not_ask_for_it() external {
        Instruction memory one = dvp(1);
        EscrowTerms memory escrow = escrowOf(settledIs(books.idOf(one)));
        open(escrow);
        settle(one);
        assertFalse(books.isRecordedSettled(books.idOf(one)));
        isNotMet(escrow, nothing);
    }

    function cannotSettle(Instruction memory one) private returns (EscrowTerms memory escrow) {
        escrow = escrowOf(not(settledIs(books.idOf(one))));
        open(escrow);
    }

    function test_sees_by_its_terms_that_an_instruction_cannot_settle_any_more() external {
        Instruction memory one = recorded(1);
        EscrowTerms memory escrow = cannotSettle(one);
        bytes[] memory shown = listed(abi.encode(one));
        isNotMet(escrow, shown);
        isNotMet(escrow, listed(""));
        uint256 before = vm.snapshotState();
        vm.prank(seller);
        books.cancel(one, CLOSES, new bytes[](1));
        meets(escrow, shown);
        vm.revertToState(before);
        Instruction memory twin = recorded(1);
        twin.terms = "other";
        settle(twin);
        meets(escrow, shown);
        vm.revertToState(before);
        books.affirm(one, signed(one));
        isNotMet(escrow, shown);
        vm.warp(one.settleBy - 1);
        isNotMet(escrow, shown);
        vm.warp(one.settleBy);
        meets(escrow, shown);
        vm.revertToStateAndDelete(before);
        settle(one);
        isNotMet(escrow, shown);
        vm.warp(one.settleBy);
        isNotMet(escrow, shown);
    }

    function test_refuses_another_instruction_and_one_that_is_not_recorded() external {
        Instruction memory one = recorded(1);
        EscrowTerms memory escrow = cannotSettle(one);
        Instruction memory twin = recorded(2);
        bytes memory error_ = abi.encodeWithSelector(
            IEscrow.InstructionNotTheOne.selector, 0, books.idOf(twin), books.idOf(one)
        );
        refusesProof(escrow, abi.encode(twin), error_);
        escrow = cannotSettle(dvp(1));
        error_ = abi.encodeWithSelector(IEscrow.EvidenceInvalid.selector, 0);
        refusesProof(escrow, abi.encode(dvp(1)), error_);
    }

    /// @dev One encoding, so that who replays the chain reads what the contract read.
    function test_refuses_any_other_encoding_of_the_instruction() external {
        Instruction memory one = recorded(1);
        EscrowTerms memory escrow = cannotSettle(one);
        bytes memory good = abi.encode(one);
        vm.warp(one.settleBy);
        bytes memory error_ = abi.encodeWithSelector(IEscrow.EvidenceInvalid.selector, 0);
        refusesProof(escrow, abi.encodePacked(good, bytes32(0)), error_);
        refusesProof(escrow, abi.encodePacked(good, hex"00"), error_);
        uint16[5] memory lengths = [1, 31, 32, 0x19f, uint16(good.length - 1)];
        for (uint256 k = 0; k < lengths.length; ++k) {
            bytes memory cut = abi.encodePacked(good);
            uint256 length = lengths[k];
            assembly ("memory-safe") {
                mstore(cut, length)
            }
            refusesProof(escrow, cut, error_);
        }
        // The two places and the number of legs.
        uint16[3] memory words = [0, 0x160, 0x180];
        for (uint256 k = 0; k < words.length; ++k) {
            bytes memory odd = abi.encodePacked(good);
            odd[words[k] + 31] = bytes1(uint8(odd[words[k] + 31]) + 1);
            refusesProof(escrow, odd, error_);
            odd = abi.encodePacked(good);
            odd[words[k]] = 0x80;
            refusesProof(escrow, odd, error_);
        }
        meets(escrow, listed(good));
    }

    function test_refuses_an_instruction_of_no_legs_or_with_stray_bits() external {
        Instruction memory one = recorded(1);
        EscrowTerms memory escrow = cannotSettle(one);
        Instruction memory empty = terms(seller, 1, 0);
        bytes memory error_ = abi.encodeWithSelector(
            IEscrow.InstructionNotTheOne.selector, 0, bytes32(0), books.idOf(one)
        );
        refusesProof(escrow, abi.encode(empty), error_);
        bytes memory dirty = abi.encode(one);
        dirty[32] = 0x01;
        refusesProof(escrow, dirty, abi.encodeWithSelector(Typed.NotCanonical.selector));
    }

    // ---------------------------------------------------------------- other milestones

    /// @dev Each class of the first milestone's end against each mask of the second's condition.
    function test_asks_how_another_milestone_ended() external {
        for (uint8 mask = 1; mask < 7; ++mask) {
            for (uint8 class_ = 0; class_ < 4; ++class_) {
                bool named = class_ != 0 && mask / 2 ** (class_ - 1) % 2 == 1;
                second(outcomeIs(0, mask), class_, named);
                second(not(outcomeIs(0, mask)), class_, class_ != 0 && !named);
            }
        }
    }

    function second(bytes memory condition, uint8 class_, bool met) private {
        uint256 before = vm.snapshotState();
        EscrowTerms memory escrow = escrowOf(2, abi.encodePacked(NEVER, condition));
        bytes32 id = open(escrow);
        uint128 paid = class_ == 1 ? SUM : class_ == 2 ? 0 : 1;
        if (class_ != 0) agree(escrow, 0, paying(paid));
        (bool success, bytes memory answer) =
            address(books).call(abi.encodeCall(books.endByCondition, (escrow, 1, nothing)));
        assertEq(success, met, "by the mask");
        bytes memory error_ = abi.encodeWithSelector(IEscrow.ConditionNotMet.selector, id, 1);
        if (!met) assertEq(answer, error_);
        vm.revertToStateAndDelete(before);
    }

    /// @dev A default that is due and that nobody called is no outcome yet.
    function test_counts_an_outcome_only_when_it_is_fixed() external {
        EscrowTerms memory escrow = escrowOf(2, abi.encodePacked(NEVER, outcomeIs(0, 2)));
        bytes32 id = open(escrow);
        vm.warp(DEADLINE);
        bytes memory call_ = abi.encodeCall(books.endByCondition, (escrow, 1, nothing));
        assertReverts(
            stranger, call_, abi.encodeWithSelector(IEscrow.ConditionNotMet.selector, id, 1)
        );
        lapse(escrow, 0);
        books.endByCondition(escrow, 1, nothing);
    }
}
