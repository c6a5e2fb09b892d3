// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    IEscrow,
    MAX_CONDITION_DEPTH,
    MAX_CONDITION_NODES,
    MIN_STEP
} from "../interfaces/IEscrow.sol";
import {AccountList} from "./AccountList.sol";
import {Conditions} from "./Conditions.sol";
import {EscrowParties} from "./EscrowParties.sol";
import {EscrowPlan} from "./EscrowPlan.sol";

/// @title What a program must be like to be opened
library ConditionForm {
    using AccountList for uint256[];

    uint256 private constant MOST_CHILDREN = 8;

    /// @notice Refuses a program that is not well-formed; gives the first oracle that is a party, or 0.
    /// @param parties the depositors and beneficiaries
    function check(EscrowPlan memory plan, bytes calldata program, uint256[] memory parties)
        internal
        pure
        returns (uint256 partial_)
    {
        uint256 offset = 0;
        // Bounds: MAX_MILESTONES, MAX_CONDITION_NODES, MAX_PROGRAM: nothing counted here can overflow; each byte of
        // `pending` is above zero when a node is taken from it.
        unchecked {
            for (uint256 m = 0; m < plan.deadlines.length; ++m) {
                uint256 nodes = 0;
                uint256 depth = 1;
                // How many nodes are still to come, a byte for each open group, the innermost lowest.
                uint256 pending = 1;
                while (pending != 0) {
                    if (offset >= program.length) revert IEscrow.ConditionMalformed(m, offset);
                    if (++nodes > MAX_CONDITION_NODES) {
                        revert IEscrow.ConditionTooLarge(m, nodes, MAX_CONDITION_NODES);
                    }
                    if (depth > MAX_CONDITION_DEPTH) {
                        revert IEscrow.ConditionTooDeep(m, MAX_CONDITION_DEPTH);
                    }
                    uint256 opcode = Conditions.opcodeAt(program, offset);
                    uint256 size = Conditions.sizeOf(opcode);
                    if (size == 0 || size > program.length - offset) {
                        revert IEscrow.ConditionMalformed(m, offset);
                    }
                    // A condition in which NEVER is not alone could be written without it.
                    if (opcode == Conditions.NEVER && depth != 1) {
                        revert IEscrow.ConditionMalformed(m, offset);
                    }
                    pending -= 1;
                    if (opcode >= Conditions.ALL) {
                        pending = (pending << 8) | _children(program, m, offset, opcode);
                        ++depth;
                    } else {
                        uint256 neutral = _checkLeaf(plan, program, m, offset, opcode);
                        if (
                            partial_ == 0 && neutral != 0
                                && parties.indexOf(neutral) < parties.length
                        ) {
                            partial_ = neutral;
                        }
                        while (pending != 0 && pending & 0xff == 0) {
                            pending >>= 8;
                            --depth;
                        }
                    }
                    offset += size;
                }
            }
        }
        if (offset != program.length) revert IEscrow.ProgramNotUsedUp(offset, program.length);
    }

    /// @dev How many children a group has.
    function _children(bytes calldata program, uint256 m, uint256 offset, uint256 opcode)
        private
        pure
        returns (uint256 count)
    {
        bool good;
        if (opcode == Conditions.NOT) {
            count = 1;
            // Facts of the chain that cannot change any more; nothing that somebody brings.
            uint256 child = Conditions.number(program, offset + 1, 1);
            good = offset + 1 < program.length
                && (child == Conditions.SETTLED || child == Conditions.OUTCOME);
        } else if (opcode == Conditions.AT_LEAST) {
            uint256 least = Conditions.number(program, offset + 1, 1);
            count = Conditions.number(program, offset + 2, 1);
            // With 1 or all of them it would be ANY or ALL.
            good = 1 < least && least < count && count <= MOST_CHILDREN;
        } else {
            count = Conditions.number(program, offset + 1, 1);
            good = 1 < count && count <= MOST_CHILDREN;
        }
        if (!good) revert IEscrow.ConditionMalformed(m, offset);
    }

    /// @dev Checks the fields of a leaf; gives the oracle that it names, or 0.
    function _checkLeaf(
        EscrowPlan memory plan,
        bytes calldata program,
        uint256 m,
        uint256 offset,
        uint256 opcode
    ) private pure returns (uint256 oracle) {
        bool good = true;
        // The latest instant before which nothing can be shown; behind it MIN_STEP must remain.
        uint256 from = 0;
        if (opcode == Conditions.TIME) {
            from = Conditions.number(program, offset + 1, 8);
        } else if (opcode == Conditions.SIGNED) {
            good = Conditions.number(program, offset + 1, 20) != 0;
        } else if (opcode == Conditions.READING || opcode == Conditions.FEED) {
            oracle = Conditions.number(program, offset + 1, 20);
            uint256 kindAt = offset + (opcode == Conditions.READING ? 53 : 21);
            uint256 width = opcode == Conditions.READING ? 8 : 10;
            uint256 kind = Conditions.number(program, kindAt, 1);
            uint256 instant = Conditions.number(program, kindAt + 1, width);
            good = oracle != 0 && kind < 2 && _isRange(program, kindAt + 1 + width);
            if (kind == 1) {
                // An instant before the opening would let the opener know the value.
                good = good && instant >= plan.openBy;
                from = instant;
            }
        } else if (opcode == Conditions.PREIMAGE) {
            // Nobody may give up payments, behind a freeze, against a secret that is out.
            good = EscrowParties.hasOneDepositor(plan, m);
        } else if (opcode == Conditions.OUTCOME) {
            uint256 named = Conditions.number(program, offset + 1, 1);
            uint256 mask = Conditions.number(program, offset + 2, 1);
            good = named < m && mask != 0 && mask < 7;
            if (good) from = plan.deadlines[named];
        }
        if (!good) revert IEscrow.ConditionMalformed(m, offset);
        if (from != 0 && from + MIN_STEP > plan.deadlines[m]) {
            // forge-lint: disable-next-line(unsafe-typecast)
            revert IEscrow.DeadlinesInvalid(m, uint64(plan.deadlines[m]), from + MIN_STEP);
        }
    }

    function _isRange(bytes calldata program, uint256 offset) private pure returns (bool) {
        (int256 low, int256 high) = Conditions.range(program, offset);
        return low <= high;
    }
}
