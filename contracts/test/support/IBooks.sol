// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAffirmation} from "../../src/interfaces/IAffirmation.sol";
import {IEscrow} from "../../src/interfaces/IEscrow.sol";
import {ILedger} from "../../src/interfaces/ILedger.sol";
import {ISettlement} from "../../src/interfaces/ISettlement.sol";

/// @notice All that the deployed Settlement answers to.
interface IBooks is ISettlement, IAffirmation, IEscrow, ILedger {
    function affirmation() external view returns (address);
    function escrow() external view returns (address);
    function authority() external view returns (address);
    function setAuthority(address) external;
    function eip712Domain()
        external
        view
        returns (bytes1, string memory, string memory, uint256, address, bytes32, uint256[] memory);
}
