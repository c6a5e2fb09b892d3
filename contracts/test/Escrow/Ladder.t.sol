// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    EndedBy,
    EscrowTerms,
    IEscrow,
    MilestoneNow,
    MilestoneState,
    Outcome,
    Ruling,
    WAY_DISPUTE
} from "../../src/interfaces/IEscrow.sol";
import {EscrowActs} from "../support/EscrowActs.sol";

/// @notice The ladder of precedence pair by pair, and `whatNow`, which tells what is possible and nothing else.
contract LadderTest is EscrowActs {
    uint64 private constant MOVED = DEADLINE + ANSWER + LAST_WORD;

    /// @dev The moments at which something changes: opened, disputed, each one's turn, over.
    enum Moment {
        Open,
        LastSecond,
        Due,
        Disputed,
        PanelFirst,
        PanelLast,
        FallbackFirst,
        FallbackLast,
        Silent
    }

    bytes private packed;
    bytes32 private id;

    function setUp() public override {
        super.setUp();
        EscrowTerms memory terms_ = withPanel(delivery());
        terms_.lines[0].byDefault = 100;
        id = idOf(terms_);
        packed = abi.encode(terms_);
    }

    function escrow() private view returns (EscrowTerms memory) {
        return abi.decode(packed, (EscrowTerms));
    }

    function reach(Moment moment) private {
        open(escrow());
        uint64[9] memory instants = [
            uint64(NOON),
            DEADLINE - 1,
            DEADLINE,
            OPEN_BY,
            OPEN_BY + 1,
            DEADLINE + ANSWER - 1,
            DEADLINE + ANSWER,
            MOVED - 1,
            MOVED
        ];
        if (moment >= Moment.Disputed) {
            vm.warp(OPEN_BY);
            dispute(escrow(), 0, buyer);
        }
        vm.warp(instants[uint256(moment)]);
    }

    /// @dev What pays in each way is another amount, so that the way is seen in the holding.
    function paidBy(EndedBy way) private pure returns (uint128) {
        uint128[6] memory amounts = [uint128(7), SUM, 8, 9, 100, UNRULED];
        return amounts[uint256(way)];
    }

    function callOf(EndedBy way) private view returns (bytes memory) {
        uint128[] memory paid = paying(paidBy(way));
        if (way == EndedBy.Agreement) {
            bytes[] memory list = splits(id, 0, partiesOf(escrow(), 1), paid);
            return abi.encodeCall(books.endByAgreement, (escrow(), 0, paid, type(uint64).max, list));
        }
        if (way == EndedBy.Condition) {
            // Observed while it was still open, shown now.
            bytes memory evidence = attested(id, 0, third, uint64(NOON));
            return abi.encodeCall(books.endByCondition, (escrow(), 0, listed(evidence)));
        }
        if (way == EndedBy.Panel) {
            Ruling[] memory two = rulings(id, 0, 0, 1, paid);
            return abi.encodeCall(books.endByRuling, (escrow(), 0, paid, two));
        }
        if (way == EndedBy.FallbackArbiter) {
            Ruling[] memory one = new Ruling[](1);
            one[0] = rulingBy(id, 0, FALLBACK, paid);
            return abi.encodeCall(books.endByRuling, (escrow(), 0, paid, one));
        }
        return abi.encodeCall(books.endByDefault, (escrow(), 0));
    }

    /// @dev The ladder: a bit for each way that is open at a moment.
    function possible(Moment moment) private pure returns (uint256 ways) {
        uint256 condition = 1 << uint256(EndedBy.Condition);
        ways = 1 << uint256(EndedBy.Agreement);
        if (moment == Moment.Due) return ways | 1 << uint256(EndedBy.Default);
        if (moment == Moment.Silent) return ways | 1 << uint256(EndedBy.Silence);
        ways |= condition;
        if (moment == Moment.PanelFirst || moment == Moment.PanelLast) {
            ways |= 1 << uint256(EndedBy.Panel);
        }
        if (moment == Moment.FallbackFirst || moment == Moment.FallbackLast) {
            ways |= 1 << uint256(EndedBy.FallbackArbiter);
        }
    }

    /// @dev A default before a dispute and one after it are the same call.
    function sameCall(EndedBy way, EndedBy other) private pure returns (bool) {
        return way == other || (way >= EndedBy.Default && other >= EndedBy.Default);
    }

    // ---------------------------------------------------------------- pair by pair

    function test_opens_each_way_at_its_moments_and_at_no_other() external {
        for (uint256 moment = 0; moment <= uint256(Moment.Silent); ++moment) {
            uint256 start = vm.snapshotState();
            reach(Moment(moment));
            for (uint256 way = 0; way <= uint256(EndedBy.Silence); ++way) {
                bool open_ = possible(Moment(moment)) / 2 ** way % 2 == 1;
                if (!open_ && way >= uint256(EndedBy.Default)) {
                    // The other default may be open, by the same call.
                    if (possible(Moment(moment)) >= 2 ** uint256(EndedBy.Default)) continue;
                }
                uint256 before = vm.snapshotState();
                vm.prank(stranger);
                (bool success,) = address(books).call(callOf(EndedBy(way)));
                assertEq(success, open_, "the ladder");
                if (success) assertHolds(seller, EURO, paidBy(EndedBy(way)), 0);
                vm.revertToStateAndDelete(before);
            }
            vm.revertToStateAndDelete(start);
            vm.warp(NOON);
        }
    }

    /// @dev Law L4: whichever of two came first stays, at every moment until the end of time.
    function test_ends_once_whatever_comes_second() external {
        for (uint256 moment = 0; moment <= uint256(Moment.Silent); ++moment) {
            for (uint256 first = 0; first <= uint256(EndedBy.Silence); ++first) {
                if (possible(Moment(moment)) / 2 ** first % 2 == 0) continue;
                uint256 start = vm.snapshotState();
                reach(Moment(moment));
                vm.prank(stranger);
                (bool success,) = address(books).call(callOf(EndedBy(first)));
                assertTrue(success);
                for (uint256 second = 0; second <= uint256(EndedBy.Silence); ++second) {
                    assertReverts(stranger, callOf(EndedBy(second)), hasEnded(id, 0));
                    vm.warp(vm.getBlockTimestamp() + 10 days);
                }
                assertReverts(buyer, disputing(escrow(), 0, buyer), hasEnded(id, 0));
                assertHolds(seller, EURO, paidBy(EndedBy(first)), 0);
                assertHolds(buyer, EURO, 100_000 - paidBy(EndedBy(first)), 0);
                vm.revertToStateAndDelete(start);
                vm.warp(NOON);
            }
        }
    }

    // ---------------------------------------------------------------- whatNow

    /// @dev Law L6, and the clock of each state.
    function test_tells_exactly_the_ways_that_are_open() external {
        MilestoneState[9] memory states = [
            MilestoneState.Open,
            MilestoneState.Open,
            MilestoneState.Due,
            MilestoneState.BeforePanel,
            MilestoneState.BeforePanel,
            MilestoneState.BeforePanel,
            MilestoneState.BeforeFallback,
            MilestoneState.BeforeFallback,
            MilestoneState.Due
        ];
        uint64[9] memory untils = [
            DEADLINE,
            DEADLINE,
            0,
            DEADLINE + ANSWER,
            DEADLINE + ANSWER,
            DEADLINE + ANSWER,
            MOVED,
            MOVED,
            0
        ];
        for (uint256 moment = 0; moment < 9; ++moment) {
            uint256 start = vm.snapshotState();
            reach(Moment(moment));
            MilestoneNow memory told = nowOf(escrow(), 0);
            uint256 ways = possible(Moment(moment));
            if (states[moment] == MilestoneState.Open) ways |= WAY_DISPUTE;
            assertEq(told.ways, ways, "ways");
            assertEq(uint256(told.state), uint256(states[moment]), "state");
            assertEq(told.until, untils[moment], "until");
            assertEq(told.deadline, moment < 3 ? DEADLINE : MOVED, "deadline");
            assertEq(uint256(told.outcome), 0);
            vm.revertToStateAndDelete(start);
            vm.warp(NOON);
        }
    }

    function test_tells_of_terms_that_nobody_opened_just_that() external view {
        MilestoneNow memory told = nowOf(escrow(), 0);
        bytes memory expected =
            abi.encode(MilestoneNow(MilestoneState.Unopened, Outcome.None, OPEN_BY, DEADLINE, 0));
        assertEq(abi.encode(told), expected);
    }

    function test_tells_an_end_and_nothing_more_to_do() external {
        open(escrow());
        deliver(escrow());
        bytes memory expected =
            abi.encode(MilestoneNow(MilestoneState.Ended, Outcome.Released, 0, DEADLINE, 0));
        assertEq(abi.encode(nowOf(escrow(), 0)), expected);
    }

    function test_tells_no_way_by_a_condition_that_is_never_met() external {
        EscrowTerms memory never = escrowOf(NEVER);
        open(never);
        assertEq(nowOf(never, 0).ways, 1 << uint256(EndedBy.Agreement));
    }
}
