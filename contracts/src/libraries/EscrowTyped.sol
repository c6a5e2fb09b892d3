// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EscrowLine, EscrowTerms} from "../interfaces/IEscrow.sol";
import {EscrowPlan, LINE_SIZE} from "./EscrowPlan.sol";
import {Typed} from "./Typed.sol";

/// @title The terms of an escrow, read once and hashed
library EscrowTyped {
    bytes32 internal constant LINE_TYPE = keccak256(
        "EscrowLine(uint8 milestone,uint32 asset,address depositor,address beneficiary,uint128 quantity,uint128 ifMet,uint128 byDefault,uint128 ifUnruled)"
    );
    bytes32 internal constant TERMS_TYPE = keccak256(
        "EscrowTerms(uint64 openBy,EscrowLine[] lines,uint64[] deadlines,bytes program,address[] arbiters,uint8 quorum,uint64 answerTime,address fallbackArbiter,uint64 fallbackTime,bytes32 text,bytes32 ref,bytes32 salt)EscrowLine(uint8 milestone,uint32 asset,address depositor,address beneficiary,uint128 quantity,uint128 ifMet,uint128 byDefault,uint128 ifUnruled)"
    );

    /// @notice Copies the terms into a plan, the only element of the list, and gives their struct hash.
    /// @dev The plain twin, nested `abi.encode` of the decoded struct, stands in the tests. Fields lie in
    /// calldata in the order in which EIP-712 hashes them: copied at once, hashed where they lie.
    /// Memory from the free pointer on, all kept: the list of one, the plan's 17 words, deadlines, arbiters,
    /// the list of lines, the lines. Behind them, not kept: line hashes, then the program.
    function load(EscrowTerms calldata terms)
        internal
        pure
        returns (EscrowPlan[] memory one, bytes32 structHash)
    {
        EscrowLine[] calldata lines = terms.lines;
        uint64[] calldata deadlines = terms.deadlines;
        bytes calldata program = terms.program;
        address[] calldata arbiters = terms.arbiters;
        (bytes32 termsType, bytes32 lineType) = (TERMS_TYPE, LINE_TYPE);
        uint256 dirty;
        assembly ("memory-safe") {
            one := mload(0x40)
            let plan := add(one, 0x40)
            mstore(one, 1)
            mstore(add(one, 0x20), plan)
            mstore(plan, termsType)
            calldatacopy(add(plan, 0x20), terms, 0x180)
            dirty := or(mload(add(plan, 0x20)), or(mload(add(plan, 0xe0)), mload(add(plan, 0x120))))
            dirty := or(shr(64, dirty), shr(8, mload(add(plan, 0xc0))))
            dirty := or(dirty, shr(160, mload(add(plan, 0x100))))

            // Each list: its length, its words; its hash and its place go into the plan.
            let list := add(plan, 0x220)
            let size := shl(5, deadlines.length)
            let from := add(list, 0x20)
            mstore(list, deadlines.length)
            calldatacopy(from, deadlines.offset, size)
            mstore(add(plan, 0x60), keccak256(from, size))
            mstore(add(plan, 0x1e0), list)
            list := add(from, size)
            for {} lt(from, list) { from := add(from, 0x20) } {
                dirty := or(dirty, shr(64, mload(from)))
            }

            size := shl(5, arbiters.length)
            from := add(list, 0x20)
            mstore(list, arbiters.length)
            calldatacopy(from, arbiters.offset, size)
            mstore(add(plan, 0xa0), keccak256(from, size))
            mstore(add(plan, 0x200), list)
            list := add(from, size)
            for {} lt(from, list) { from := add(from, 0x20) } {
                dirty := or(dirty, shr(160, mload(from)))
            }

            mstore(list, lines.length)
            mstore(add(plan, 0x1c0), list)
            let line := add(list, shl(5, add(lines.length, 1)))
            let end := add(line, mul(lines.length, LINE_SIZE))
            mstore(0x40, end)
            from := lines.offset
            for { let hashed := end } lt(line, end) { line := add(line, LINE_SIZE) } {
                mstore(line, lineType)
                calldatacopy(add(line, 0x20), from, 0x100)
                mstore(hashed, keccak256(line, 0x120))
                let sums := or(mload(add(line, 0xa0)), mload(add(line, 0xc0)))
                sums := or(sums, or(mload(add(line, 0xe0)), mload(add(line, 0x100))))
                let accounts := or(mload(add(line, 0x60)), mload(add(line, 0x80)))
                dirty := or(dirty, or(shr(128, sums), shr(160, accounts)))
                dirty := or(
                    dirty,
                    or(shr(8, mload(add(line, 0x20))), shr(32, mload(add(line, 0x40))))
                )
                list := add(list, 0x20)
                mstore(list, line)
                from := add(from, 0x100)
                hashed := add(hashed, 0x20)
            }
            mstore(add(plan, 0x40), keccak256(end, shl(5, lines.length)))
            calldatacopy(end, program.offset, program.length)
            mstore(add(plan, 0x80), keccak256(end, program.length))
            structHash := keccak256(plan, 0x1a0)
        }
        if (dirty != 0) revert Typed.NotCanonical();
    }
}
