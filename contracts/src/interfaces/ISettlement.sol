// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Instruction, Reason, SignedInstruction, Status} from "./Types.sol";

/// @title Settlement of signed instructions
/// @notice Whoever holds the signatures may settle, cancel, withdraw or release: none of these calls asks
/// who sends them, except where a caller acts for itself without a signature.
interface ISettlement {
    /// @notice All legs moved. Final.
    event InstructionSettled(bytes32 indexed id, address indexed initiator, uint64 nonce);

    /// @notice This id is recorded as settled, for whoever asks by id: its terms have OPTION_RECORD.
    event InstructionRecorded(bytes32 indexed instruction);

    /// @notice Not settled by this `settleMany`, with the first reason. Nothing of it moved.
    event InstructionNotSettled(
        bytes32 indexed id, bytes4 code, uint8 leg, address who, uint256 needed, uint256 have
    );

    error BatchEmpty();
    error BatchTooLarge(uint256 legs, uint256 max);

    /// @notice Settles every leg of an instruction in one step.
    /// @dev Requires: the consent of every account of the legs; settleFrom <= now < settleBy; all legs
    /// covered, in order. Refuses with the first of: X-codes of malformed terms, XDON, XCAN, XOCC, FUTU,
    /// ADEA, XSIG, XADM, XSUS, XCON, XBAD, XWDR, BLOC, XAST, SBLO, LACK, MONY.
    /// @dev Emits: HoldEnded for each reserved leg and Posted for each leg, then InstructionSettled.
    /// @dev Law: L1, L2, L3, L4, L7.
    function settle(Instruction calldata instruction, bytes[] calldata signatures) external;

    /// @notice Settles what can be settled, each instruction whole or not at all, in the order given.
    /// @return codes 0 for settled, otherwise the code of the first reason
    /// @dev Refused at the start if it holds more than MAX_BATCH_LEGS legs. Running out of gas in a wallet's
    /// check reverts the whole call. Law: L1, L9.
    function settleMany(SignedInstruction[] calldata requests)
        external
        returns (bytes4[] memory codes);

    /// @notice All reasons why `settle` would refuse now. Empty if and only if it would succeed (law L6).
    function whyNot(Instruction calldata instruction, bytes[] calldata signatures)
        external
        view
        returns (Reason[] memory reasons);

    /// @notice EIP-712 digest of all the terms: the id.
    function idOf(Instruction calldata instruction) external view returns (bytes32 id);

    function statusOf(Instruction calldata instruction) external view returns (Status status);

    /// @notice Two bits: 0 open, 1 settled, 2 cancelled, 3 live in storage.
    function nonceStatus(address initiator, uint64 nonce) external view returns (uint8);

    /// @notice Of a live instruction: consents by account, reserved and committed by leg, released by account.
    function liveState(bytes32 id)
        external
        view
        returns (uint16 consents, uint8 reserved, uint8 committed, uint16 released);

    function isWithdrawn(address account, bytes32 id) external view returns (bool);
}
