// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IApprover} from "./interfaces/IApprover.sol";
import {Window} from "./libraries/Window.sol";

/// @title Approver of privileged operations
contract Approver is IApprover, EIP712 {
    bytes32 private constant OPERATION_TYPE = keccak256(
        "Operation(address target,bytes data,bytes4 reason,bytes32 evidence,uint64 nonce,uint64 validBy)"
    );
    uint256 private constant MAX_SIGNERS = 32;
    /// @dev A signed operation does not lie about for ever.
    uint256 public constant MAX_VALIDITY = 30 days;

    /// @dev 0: not a signer, or no longer.
    mapping(address signer => bytes32 organisation) private _organisationOf;
    mapping(bytes32 operation => bool) private _done;
    address[] private _signers;

    constructor(address[] memory signers_, bytes32[] memory organisations)
        EIP712("settle approver", "1")
    {
        uint256 count = signers_.length;
        if (count != organisations.length || count > MAX_SIGNERS) revert SignersInvalid();
        bool two = false;
        for (uint256 k = 0; k < count; ++k) {
            if (
                signers_[k] == address(0) || organisations[k] == 0
                    || _organisationOf[signers_[k]] != 0
            ) {
                revert SignersInvalid();
            }
            if (organisations[k] != organisations[0]) two = true;
            _organisationOf[signers_[k]] = organisations[k];
        }
        if (!two) revert SignersInvalid();
        _signers = signers_;
    }

    /// @inheritdoc IApprover
    function execute(Operation calldata operation, bytes calldata first, bytes calldata second)
        external
        returns (bytes memory)
    {
        if (Window.over(operation.validBy)) {
            revert OperationExpired(operation.validBy, block.timestamp);
        }
        if (Window.tooFar(operation.validBy, MAX_VALIDITY)) {
            revert ValidityTooLong(operation.validBy, block.timestamp + MAX_VALIDITY);
        }
        bytes32 id = _hashTypedDataV4(
            keccak256(
                abi.encode(
                    OPERATION_TYPE,
                    operation.target,
                    keccak256(operation.data),
                    operation.reason,
                    operation.evidence,
                    operation.nonce,
                    operation.validBy
                )
            )
        );
        if (_done[id]) revert OperationDone(id);
        address one = ECDSA.recoverCalldata(id, first);
        address other = ECDSA.recoverCalldata(id, second);
        bytes32 oneOf = _organisationOf[one];
        bytes32 otherOf = _organisationOf[other];
        if (oneOf == 0 || otherOf == 0 || oneOf == otherOf) {
            revert SignersNotOfTwoOrganisations(one, other);
        }

        _done[id] = true;
        emit Approved(
            id,
            operation.target,
            bytes4(operation.data),
            operation.reason,
            operation.evidence,
            one,
            other
        );
        return Address.functionCall(operation.target, operation.data);
    }

    /// @inheritdoc IApprover
    function revoke(bytes32 operation) external {
        if (_organisationOf[msg.sender] == 0) revert NotASigner(msg.sender);
        if (_done[operation]) revert OperationDone(operation);
        _done[operation] = true;
        emit Revoked(operation, msg.sender);
    }

    /// @inheritdoc IApprover
    function remove(address signer) external {
        bytes32 organisation = _organisationOf[signer];
        if (organisation == 0 || _organisationOf[msg.sender] != organisation) {
            revert NotOfTheOrganisation(signer, msg.sender);
        }
        _organisationOf[signer] = 0;
        emit SignerRemoved(signer, organisation, msg.sender);
    }

    /// @inheritdoc IApprover
    function organisationOf(address signer) external view returns (bytes32) {
        return _organisationOf[signer];
    }

    /// @inheritdoc IApprover
    function signers() external view returns (address[] memory) {
        return _signers;
    }

    /// @inheritdoc IApprover
    function isDone(bytes32 operation) external view returns (bool) {
        return _done[operation];
    }
}
