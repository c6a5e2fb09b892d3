// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "../support/Test.sol";
import {Floor} from "./Floor.sol";

/// @notice Laws L1 to L5 after any sequence of acts of honest and hostile parties.
contract LawsTest is Test {
    Floor private floor;

    function setUp() external {
        floor = new Floor();
        targetContract(address(floor));
        bytes4[] memory acts = new bytes4[](18);
        acts[0] = floor.propose.selector;
        acts[1] = floor.settle.selector;
        acts[2] = floor.settleMany.selector;
        acts[3] = floor.affirm.selector;
        acts[4] = floor.commit.selector;
        acts[5] = floor.reserve.selector;
        acts[6] = floor.release.selector;
        acts[7] = floor.withdraw.selector;
        acts[8] = floor.cancel.selector;
        acts[9] = floor.forgeAnything.selector;
        acts[10] = floor.grieve.selector;
        acts[11] = floor.hold.selector;
        acts[12] = floor.pass.selector;
        acts[13] = floor.issue.selector;
        acts[14] = floor.redeem.selector;
        acts[15] = floor.govern.selector;
        // Twice, so that there is enough to act on.
        acts[16] = floor.propose.selector;
        acts[17] = floor.settle.selector;
        targetSelectors(address(floor), acts);
    }

    function invariant_laws_hold() external view {
        floor.check();
    }

    /// @dev At the end of each run.
    function afterInvariant() external {
        floor.everybodyLeaves();
    }

    /// @dev That the floor is worth watching: on one long day trades settle, bind and are left.
    function test_settles_binds_and_lets_out_on_a_long_day() external {
        for (uint256 k = 0; k < 450; ++k) {
            uint256 dice = uint256(keccak256(abi.encode(k)));
            bytes4[10] memory acts = [
                floor.propose.selector,
                floor.settle.selector,
                floor.settleMany.selector,
                floor.affirm.selector,
                floor.commit.selector,
                floor.reserve.selector,
                floor.release.selector,
                floor.forgeAnything.selector,
                floor.grieve.selector,
                floor.pass.selector
            ];
            (bool success,) = address(floor).call(abi.encodeWithSelector(acts[dice % 10], dice));
            assertTrue(success);
            floor.check();
        }
        assertGt(floor.settlements(), 5, "settles");
        assertGt(floor.binding(), 1, "binds");
        assertGt(floor.exits(), 1, "lets out");
        floor.everybodyLeaves();
    }
}
