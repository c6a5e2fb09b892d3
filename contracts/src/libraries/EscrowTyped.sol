// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EscrowTerms} from "../interfaces/IEscrow.sol";
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
    /// Memory from the free pointer on, all kept: the list of one, the plan's 28 words, deadlines, arbiters,
    /// lines. Behind them, not kept: line hashes, then the program.
    function load(EscrowTerms calldata terms)
        internal
        pure
        returns (EscrowPlan[] memory one, bytes32 structHash)
    {
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

            // A list of the terms, `field` bytes behind their beginning: where its words lie. Within calldata.
            function place(source, field, size) -> from, length {
                from := add(source, calldataload(add(source, field)))
                length := calldataload(from)
                from := add(from, 0x20)
                if or(shr(32, length), gt(add(from, mul(length, size)), calldatasize())) {
                    revert(0, 0)
                }
            }
            // Copies a list of words: its length, the words. Their hash, their bits, and where it ends.
            function copy(list, from, length) -> hash, bits, end {
                mstore(list, length)
                list := add(list, 0x20)
                let size := shl(5, length)
                calldatacopy(list, from, size)
                hash := keccak256(list, size)
                end := add(list, size)
                for {} lt(list, end) { list := add(list, 0x20) } { bits := or(bits, mload(list)) }
            }

            let list := add(plan, 0x380)
            let from, length := place(terms, 0x40, 0x20)
            mstore(add(plan, 0x220), list)
            let hash, bits, end := copy(list, from, length)
            mstore(add(plan, 0x60), hash)
            dirty := or(dirty, shr(64, bits))

            from, length := place(terms, 0x80, 0x20)
            mstore(add(plan, 0x240), end)
            hash, bits, list := copy(end, from, length)
            mstore(add(plan, 0xa0), hash)
            dirty := or(dirty, shr(160, bits))

            from, length := place(terms, 0x20, 0x100)
            mstore(add(plan, 0x200), length)
            mstore(add(plan, 0x1c0), list)
            let line := list
            end := add(line, mul(length, LINE_SIZE))
            mstore(0x40, end)
            let accounts, amounts
            for { let hashed := end } lt(line, end) { line := add(line, LINE_SIZE) } {
                mstore(line, lineType)
                calldatacopy(add(line, 0x20), from, 0x100)
                mstore(hashed, keccak256(line, 0x120))
                amounts := or(amounts, or(mload(add(line, 0xa0)), mload(add(line, 0xc0))))
                amounts := or(amounts, or(mload(add(line, 0xe0)), mload(add(line, 0x100))))
                accounts := or(accounts, or(mload(add(line, 0x60)), mload(add(line, 0x80))))
                dirty := or(
                    dirty,
                    or(shr(8, mload(add(line, 0x20))), shr(32, mload(add(line, 0x40))))
                )
                from := add(from, 0x100)
                hashed := add(hashed, 0x20)
            }
            dirty := or(dirty, or(shr(128, amounts), shr(160, accounts)))
            mstore(add(plan, 0x40), keccak256(end, shl(5, length)))

            from, length := place(terms, 0x60, 1)
            mstore(add(plan, 0x340), from)
            mstore(add(plan, 0x360), length)
            calldatacopy(end, from, length)
            mstore(add(plan, 0x80), keccak256(end, length))
            structHash := keccak256(plan, 0x1a0)
        }
        if (dirty != 0) revert Typed.NotCanonical();
    }

    // Offset and length are two words of one slice: the second write replaces nothing.
    // slither-disable-start write-after-write
    /// @notice The program, where it lies in calldata.
    function programOf(EscrowPlan memory plan) internal pure returns (bytes calldata program) {
        (uint256 from, uint256 length) = (plan.program, plan.programLength);
        assembly ("memory-safe") {
            program.offset := from
            program.length := length
        }
    }
    // slither-disable-end write-after-write
}
