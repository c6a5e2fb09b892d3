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

/// @notice Terms in whole words, checked to be clean, their id, and what is on chain about them.
/// @dev From `typeHash` to `salt` it is what EIP-712 hashes. The program stays in calldata.
/// @param firstLine where the lines begin in memory, LINE_SIZE bytes each; there are `lines`
/// @param acted where the lines of the milestone that is acted on begin; the first is number `first`, and
/// they are `count`
/// @param openedAt this and the next three are those of EscrowState
/// @param domain the separator of EIP-712's domain
/// @param program where the program lies in calldata, and how long it is
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
    LineWords firstLine;
    LineWords acted;
    uint256 lines;
    uint256[] deadlines;
    uint256[] arbiters;
    uint256 openedAt;
    uint256 outcomes;
    uint256 disputed;
    uint256 withdrawn;
    uint256 first;
    uint256 count;
    bytes32 domain;
    uint256 program;
    uint256 programLength;
}

/// @notice An open escrow's time, and what its program says about milestones, from a walk over it. Eight
/// numbers in a word, the first milestone's lowest.
/// @param openedAt unix second
/// @param disputed a bit a milestone
/// @param disputes when each was disputed, seconds since the opening, 32 bits each
/// @param extension what a dispute moves an instant by
/// @param starts where each milestone's condition begins in the program, 32 bits each
/// @param names milestones whose outcome each milestone's condition asks for, a bit each, 32 bits each
/// @param locked a bit for each milestone with a hash lock
/// @param evidence how many pieces the last condition of the walk takes
struct Clock {
    uint256 openedAt;
    uint256 disputed;
    uint256 disputes;
    uint256 extension;
    uint256 starts;
    uint256 names;
    uint256 locked;
    uint256 evidence;
}
