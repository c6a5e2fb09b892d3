// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IApprover} from "../../src/interfaces/IApprover.sol";
import {Market} from "./Market.sol";

/// @notice Two organisations with two signers each, and what they sign.
abstract contract Boards is Market {
    bytes32 internal constant BANK = "bank";
    bytes32 internal constant REGULATOR = "regulator";

    address internal ann;
    address internal amy;
    address internal bob;
    address internal ben;

    function nameSigners() internal {
        ann = named("ann of the bank");
        amy = named("amy of the bank");
        bob = named("bob of the regulator");
        ben = named("ben of the regulator");
    }

    function newBoard() internal returns (IApprover) {
        address[] memory signers = new address[](4);
        bytes32[] memory organisations = new bytes32[](4);
        (signers[0], signers[1], signers[2], signers[3]) = (ann, amy, bob, ben);
        (organisations[0], organisations[1]) = (BANK, BANK);
        (organisations[2], organisations[3]) = (REGULATOR, REGULATOR);
        return newBoard(signers, organisations);
    }

    function newBoard(address[] memory signers, bytes32[] memory organisations)
        internal
        returns (IApprover)
    {
        return IApprover(vm.deployCode("Approver.sol:Approver", abi.encode(signers, organisations)));
    }

    function operationOf(address target, bytes memory data)
        internal
        view
        returns (IApprover.Operation memory)
    {
        return IApprover.Operation({
            target: target,
            data: data,
            reason: "TEST",
            evidence: "file",
            nonce: 1,
            validBy: uint64(vm.getBlockTimestamp() + 1 days)
        });
    }

    function operationId(IApprover board, IApprover.Operation memory operation)
        internal
        view
        returns (bytes32)
    {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                ),
                keccak256("settle approver"),
                keccak256("1"),
                block.chainid,
                address(board)
            )
        );
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256(
                    "Operation(address target,bytes data,bytes4 reason,bytes32 evidence,uint64 nonce,uint64 validBy)"
                ),
                operation.target,
                keccak256(operation.data),
                operation.reason,
                operation.evidence,
                operation.nonce,
                operation.validBy
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    /// @notice Executes what two signers signed, sent by a stranger.
    function perform(
        IApprover board,
        IApprover.Operation memory operation,
        address first,
        address second
    ) internal returns (bool success, bytes memory answer) {
        bytes32 id = operationId(board, operation);
        bytes memory one = signatureBy(first, id);
        bytes memory other = signatureBy(second, id);
        vm.prank(stranger);
        return address(board).call(abi.encodeCall(board.execute, (operation, one, other)));
    }
}
