// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MAX_CONDITION_NODES} from "../interfaces/IEscrow.sol";
import {Conditions} from "./Conditions.sol";
import {Clock} from "./EscrowPlan.sol";

/// @title Walks over programs that were checked at the opening
library Surveys {
    /// @notice Walks the conditions of the first so many milestones and fills in what a clock knows of them.
    function survey(Clock memory clock, bytes calldata program, uint256 milestones) internal pure {
        uint256 offset = 0;
        uint256 evidence = 0;
        // Bounds: MAX_MILESTONES, MAX_CONDITION_NODES, MAX_PROGRAM; `pending` counts nodes that follow.
        unchecked {
            for (uint256 m = 0; m < milestones; ++m) {
                clock.starts |= offset << (m << 5);
                evidence = 0;
                bool negated = false;
                for (uint256 pending = 1; pending != 0; --pending) {
                    uint256 opcode = Conditions.opcodeAt(program, offset);
                    if (opcode == Conditions.OUTCOME) {
                        uint256 named = Conditions.number(program, offset + 1, 1);
                        clock.names |= 1 << ((m << 5) + named);
                    } else if (opcode == Conditions.PREIMAGE) {
                        clock.locked |= 1 << m;
                    }
                    if (Conditions.takesEvidence(opcode, negated)) ++evidence;
                    negated = opcode == Conditions.NOT;
                    pending += Conditions.childrenOf(program, offset, opcode);
                    offset += Conditions.sizeOf(opcode);
                }
            }
        }
        clock.evidence = evidence;
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
            uint256 opcode = Conditions.opcodeAt(program, offset);
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
