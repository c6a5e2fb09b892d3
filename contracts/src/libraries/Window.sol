// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Time, decided in one place (law L7)
/// @notice A window is [from, by): at `from` it is open, at `by` it is over. A hold is executable before its
/// deadline and reclaimable from it on; no instant is both.
library Window {
    /// @notice Whether the window has begun.
    function begun(uint256 from) internal view returns (bool) {
        return block.timestamp >= from;
    }

    /// @notice Whether the window, or a deadline, is over.
    function over(uint256 by) internal view returns (bool) {
        return block.timestamp >= by;
    }

    /// @notice Whether the deadline lies further ahead than the longest wait allowed.
    function tooFar(uint256 by, uint256 longest) internal view returns (bool) {
        return by > block.timestamp + longest;
    }
}
