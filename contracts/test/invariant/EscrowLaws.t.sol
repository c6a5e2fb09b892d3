// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "../support/Test.sol";
import {EscrowFloor} from "./EscrowFloor.sol";

/// @notice Laws L1 to L7 and L10 over escrows, after any sequence of acts of honest and hostile parties.
contract EscrowLawsTest is Test {
    EscrowFloor private floor;
    bytes4[] private acts;
    uint256[6] private ends;
    uint256 private openings;
    uint256 private waits;

    function setUp() external {
        floor = new EscrowFloor();
        targetContract(address(floor));
        acts = [
            floor.propose.selector,
            floor.propose.selector,
            floor.openAny.selector,
            floor.openAny.selector,
            floor.meet.selector,
            floor.agreeOn.selector,
            floor.disputeAny.selector,
            floor.disputeAny.selector,
            floor.ruleAny.selector,
            floor.ruleAny.selector,
            floor.lapseAny.selector,
            floor.payOutAny.selector,
            floor.giveUpAny.selector,
            floor.withdraw.selector,
            floor.forgeAnything.selector,
            floor.grieve.selector,
            floor.pass.selector,
            floor.reach.selector,
            floor.reach.selector,
            floor.trade.selector,
            floor.govern.selector
        ];
        targetSelectors(address(floor), acts);
    }

    function invariant_laws_hold_over_escrows() external view {
        floor.check();
    }

    /// @dev At the end of each run.
    function afterInvariant() external {
        floor.everybodyLeaves();
    }

    /// @dev That the floor is worth watching: in a long season every way ends some milestone.
    function test_ends_in_every_way_in_a_long_season() external {
        for (uint256 k = 0; k < 1400; ++k) {
            // A new market now and then, so that there are always terms to open.
            if (k % 280 == 0) {
                if (k != 0) floor.everybodyLeaves();
                tally();
                floor = new EscrowFloor();
            }
            uint256 dice = uint256(keccak256(abi.encode(k)));
            (bool success,) =
                address(floor).call(abi.encodeWithSelector(acts[dice % acts.length], dice));
            assertTrue(success);
            if (k % 10 == 0) floor.check();
        }
        tally();
        for (uint256 way = 0; way < 6; ++way) {
            assertGt(ends[way], 0, "each way");
        }
        assertGt(openings, 20, "opens");
        assertGt(waits, 1, "waits");
    }

    function tally() private {
        for (uint256 way = 0; way < 6; ++way) {
            ends[way] += floor.ends(way);
        }
        openings += floor.openings();
        waits += floor.waits();
    }
}
