// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccountList} from "./AccountList.sol";
import {EscrowPlan, LINE_SIZE, LineWords} from "./EscrowPlan.sol";

/// @title Who stands in an escrow, each once, in order of first appearance
library EscrowParties {
    using AccountList for uint256[];

    /// @dev The lines of all milestones.
    uint256 internal constant ALL = type(uint256).max;

    /// @notice Depositors and beneficiaries of the lines of some milestones, in order of first appearance.
    /// @param milestones a bit each
    function partiesOf(EscrowPlan memory plan, uint256 milestones)
        internal
        pure
        returns (uint256[] memory parties)
    {
        uint256 count = plan.lines;
        parties = _list(2 * count + plan.arbiters.length + 2);
        // Bound: MAX_ESCROW_LINES, where the terms were opened.
        LineWords memory line = plan.firstLine;
        for (uint256 k = 0; k < count; ++k) {
            if ((milestones >> line.milestone) & 1 == 1) {
                // Only membership is asked for.
                // slither-disable-next-line unused-return
                parties.include(line.depositor);
                // slither-disable-next-line unused-return
                parties.include(line.beneficiary);
            }
            // The next line; not read after the last.
            assembly ("memory-safe") {
                line := add(line, LINE_SIZE)
            }
        }
    }

    /// @notice Who signs the terms: the parties, the arbiters, the fallback.
    function signersOf(EscrowPlan memory plan) internal pure returns (uint256[] memory signers) {
        signers = partiesOf(plan, ALL);
        addNeutrals(plan, signers);
    }

    /// @notice Adds the arbiters and the fallback to the parties.
    function addNeutrals(EscrowPlan memory plan, uint256[] memory signers) internal pure {
        for (uint256 k = 0; k < plan.arbiters.length; ++k) {
            // slither-disable-next-line unused-return
            signers.include(plan.arbiters[k]);
        }
        // slither-disable-next-line unused-return
        if (plan.fallbackArbiter != 0) signers.include(plan.fallbackArbiter);
    }

    /// @notice Whether the lines of a milestone are all of one depositor.
    function hasOneDepositor(EscrowPlan memory plan, uint256 m) internal pure returns (bool) {
        LineWords memory line = plan.firstLine;
        uint256 depositor = 0;
        // Bound: MAX_ESCROW_LINES.
        for (uint256 k = 0; k < plan.lines; ++k) {
            if (line.milestone == m) {
                if (depositor != 0 && line.depositor != depositor) return false;
                depositor = line.depositor;
            }
            // The next line; not read after the last.
            assembly ("memory-safe") {
                line := add(line, LINE_SIZE)
            }
        }
        return true;
    }

    /// @dev An empty list with room for so many words, which AccountList asks for.
    function _list(uint256 room) private pure returns (uint256[] memory list) {
        assembly ("memory-safe") {
            list := mload(0x40)
            mstore(list, 0)
            mstore(0x40, add(list, shl(5, add(room, 1))))
        }
    }
}
