// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MAX_CONDITION_NODES} from "../interfaces/IEscrow.sol";
import {Conditions} from "./Conditions.sol";
import {Survey} from "./EscrowPlan.sol";

/// @title Walks over programs that were checked at the opening
library Surveys {
    /// @notice Walks the conditions of the first so many milestones.
    function survey(bytes calldata program, uint256 milestones)
        internal
        pure
        returns (Survey memory found)
    {
        uint256 offset = 0;
        for (uint256 m = 0; m < milestones; ++m) {
            found.starts[m] = offset;
            uint256 evidence = 0;
            bool negated = false;
            // Bound: MAX_CONDITION_NODES.
            for (uint256 pending = 1; pending != 0; --pending) {
                uint256 opcode = Conditions.number(program, offset, 1);
                if (opcode == Conditions.OUTCOME) {
                    found.names[m] |= 1 << Conditions.number(program, offset + 1, 1);
                } else if (opcode == Conditions.PREIMAGE) {
                    found.locked |= 1 << m;
                }
                if (Conditions.takesEvidence(opcode, negated)) ++evidence;
                negated = opcode == Conditions.NOT;
                pending += Conditions.childrenOf(program, offset, opcode);
                offset += Conditions.sizeOf(opcode);
            }
            found.evidence = evidence;
        }
    }

    /// @notice The instants of the TIME leaves of the condition that begins at an offset.
    function timesOf(bytes calldata program, uint256 offset)
        internal
        pure
        returns (uint256[] memory times)
    {
        times = new uint256[](MAX_CONDITION_NODES);
        uint256 count = 0;
        // Bound: MAX_CONDITION_NODES.
        for (uint256 pending = 1; pending != 0; --pending) {
            uint256 opcode = Conditions.number(program, offset, 1);
            if (opcode == Conditions.TIME) {
                times[count++] = Conditions.number(program, offset + 1, 8);
            }
            pending += Conditions.childrenOf(program, offset, opcode);
            offset += Conditions.sizeOf(opcode);
        }
        assembly ("memory-safe") {
            mstore(times, count)
        }
    }
}
