// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Clock} from "./EscrowPlan.sol";

/// @title What a dispute does to time
/// @notice It moves its own milestone's instants and those of its dependants by the same amount, and only
/// those that were not reached yet: what was reached stays reached.
library Clocks {
    /// @notice When this milestone was disputed; of one that was not, the opening.
    function disputedAt(Clock memory clock, uint256 milestone) internal pure returns (uint256) {
        return clock.openedAt + _of(clock.disputes, milestone);
    }

    function isDisputed(Clock memory clock, uint256 milestone) internal pure returns (bool) {
        return (clock.disputed >> milestone) & 1 == 1;
    }

    /// @notice Where its condition begins in the program.
    function startOf(Clock memory clock, uint256 milestone) internal pure returns (uint256) {
        return _of(clock.starts, milestone);
    }

    /// @notice A bit for each milestone that its condition asks for.
    function namesOf(Clock memory clock, uint256 milestone) internal pure returns (uint256) {
        return _of(clock.names, milestone);
    }

    function _of(uint256 word, uint256 milestone) private pure returns (uint256) {
        return (word >> (milestone << 5)) & type(uint32).max;
    }

    /// @notice Where an instant of the milestone's terms lies after all disputes so far.
    /// @dev Upwards, each milestone once: they name lower ones only. Instants are 64 bits: no overflow.
    function moved(Clock memory clock, uint256 milestone, uint256 instant)
        internal
        pure
        returns (uint256)
    {
        if (clock.disputed == 0) return instant;
        uint256[8] memory shifts;
        // Bound: MAX_MILESTONES, each looking at those below it.
        for (uint256 j = 0; j <= milestone; ++j) {
            uint256 shift = 0;
            for (uint256 d = 0; d < j; ++d) {
                bool named = (namesOf(clock, j) >> d) & 1 == 1;
                if (named && shifts[d] > shift) shift = shifts[d];
            }
            if (isDisputed(clock, j) && disputedAt(clock, j) < instant + shift) {
                shift += clock.extension;
            }
            shifts[j] = shift;
        }
        return instant + shifts[milestone];
    }
}
