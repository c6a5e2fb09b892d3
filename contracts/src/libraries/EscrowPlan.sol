// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev Bytes of LineWords in memory.
uint256 constant LINE_SIZE = 0x120;

/// @notice A line in whole words, checked to be clean. All nine are what EIP-712 hashes.
struct LineWords {
    bytes32 typeHash;
    uint256 milestone;
    uint256 asset;
    uint256 depositor;
    uint256 beneficiary;
    uint256 quantity;
    uint256 ifMet;
    uint256 byDefault;
    uint256 ifUnruled;
}

/// @notice Terms in whole words, checked to be clean, and their id.
/// @dev From `typeHash` to `salt` it is what EIP-712 hashes. The program stays in calldata.
struct EscrowPlan {
    bytes32 typeHash;
    uint256 openBy;
    bytes32 linesHash;
    bytes32 deadlinesHash;
    bytes32 programHash;
    bytes32 arbitersHash;
    uint256 quorum;
    uint256 answerTime;
    uint256 fallbackArbiter;
    uint256 fallbackTime;
    bytes32 text;
    bytes32 ref;
    bytes32 salt;
    bytes32 id;
    LineWords[] lines;
    uint256[] deadlines;
    uint256[] arbiters;
}

/// @notice What the program says about milestones, from a walk over their conditions.
/// @param starts where each milestone's condition begins in the program
/// @param names a bit for each milestone whose outcome the condition of this one asks for
/// @param locked a bit for each milestone with a hash lock
/// @param evidence how many pieces the last condition of the walk takes
struct Survey {
    uint256[8] starts;
    uint256[8] names;
    uint256 locked;
    uint256 evidence;
}

/// @notice An open escrow's time: when it was opened, and what disputes move.
/// @param disputed a bit a milestone
/// @param disputes when each was disputed, seconds since the opening, 32 bits a milestone
/// @param extension what a dispute moves an instant by
/// @param survey need be filled only where `disputed` is not zero
struct Clock {
    uint256 openedAt;
    uint256 disputed;
    uint256 disputes;
    uint256 extension;
    Survey survey;
}
