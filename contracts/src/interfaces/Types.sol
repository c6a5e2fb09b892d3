// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev The longest instruction, the largest batch (counted in legs), and the longest committed wait.
/// Each bound is checked before anything else is done (law L9).
uint256 constant MAX_LEGS = 8;
uint256 constant MAX_BATCH_LEGS = 400;
uint256 constant MAX_MOVES = 400;
uint256 constant MAX_WINDOW = 120 days;

/// @dev Option bits of an instruction. A bit outside OPTIONS_KNOWN is refused by name.
uint32 constant OPTION_PARTIAL = 1;
/// @dev The final state is recorded by id, so that others can ask whether exactly this settled.
uint32 constant OPTION_RECORD = 2;
uint32 constant OPTIONS_KNOWN = OPTION_PARTIAL | OPTION_RECORD;

/// @notice One movement of one asset, deliverer to receiver.
/// @param asset number of the asset in the Ledger
/// @param quantity in the asset's smallest unit
struct Leg {
    uint32 asset;
    address deliverer;
    address receiver;
    uint128 quantity;
}

/// @notice The order to settle a set of legs together. Its EIP-712 digest is its id (law L4).
/// @param initiator account whose nonce space the id lives in; stands in one of the legs
/// @param nonce unordered, chosen by the initiator; dense numbers are cheapest
/// @param settleFrom first unix second at which it settles
/// @param settleBy unix second from which it lapses
/// @param cycle 0: gross; a netting cycle is refused until cycles exist
/// @param options bit flags, see OPTIONS_KNOWN
/// @param minimumLot smallest part, in units of the first leg; 0 where parts are not allowed
/// @param predecessor id that must settle first; refused until final states are recorded by id
/// @param tradeRef salted digest of the market reference
/// @param terms salted hash of the legal text or of the terms kept outside the chain
/// @param legs moved in this order, all in one step or none (law L1)
struct Instruction {
    address initiator;
    uint64 nonce;
    uint64 settleFrom;
    uint64 settleBy;
    bytes32 cycle;
    uint32 options;
    uint128 minimumLot;
    bytes32 predecessor;
    bytes32 tradeRef;
    bytes32 terms;
    Leg[] legs;
}

/// @notice An instruction with its consents, one signature per account in order of first appearance in
/// the legs (deliverer before receiver). An empty signature stands for a consent already on chain; an
/// empty list stands for all of them.
struct SignedInstruction {
    Instruction instruction;
    bytes[] signatures;
}

/// @notice Why something cannot be done now (law L6).
/// @param code four letters: of ISO 20022 where sese.024 has one, otherwise our own, beginning with X
/// @param leg index of the leg, or of the account for a consent; 0 where neither applies
/// @param who the account that can clear it, or the one concerned
struct Reason {
    bytes4 code;
    uint8 leg;
    address who;
    uint256 needed;
    uint256 have;
}

/// @notice What an account holds of one asset, one slot. Balance is the sum.
struct Holding {
    uint128 available;
    uint128 held;
}

/// @notice Whether an account may enter into settlement. Exits never ask (law L5).
enum Standing {
    Unknown,
    Admitted,
    Suspended
}

/// @notice All that settlement asks of an account, in one word.
/// @param withdrawals consents that the account ever withdrew; while 0, settlement need not look for one
struct Account {
    Standing standing;
    bool frozen;
    uint8 class;
    uint64 withdrawals;
}

/// @notice Kinds of assets. Classes from CentralBankMoney to EMoney are cash: their lack is MONY, not LACK.
enum AssetClass {
    None,
    Security,
    CentralBankMoney,
    DepositMoney,
    EMoney,
    CarbonUnit,
    Other
}

/// @notice An asset of the Ledger.
/// @param code ISIN, ISO 4217 or another code of up to 12 characters, left aligned
/// @param issuer account of the issuer, for information; issuing needs the issuer role
struct Asset {
    AssetClass class;
    uint8 decimals;
    bool frozen;
    bytes12 code;
    address issuer;
    uint128 totalSupply;
}

/// @notice Value reserved for a module's purpose until a deadline. Its id is the hash of all fields; the
/// chain keeps only whether that id is live, the caller brings the rest.
struct Hold {
    address module;
    bytes32 purpose;
    uint8 index;
    address account;
    uint32 asset;
    uint128 quantity;
    uint64 deadline;
}

/// @notice One line of a module's posting: negative leaves the account, positive arrives.
struct Move {
    uint32 asset;
    address account;
    int256 delta;
}

/// @notice Where an instruction stands on chain, as far as its nonce and the clock tell.
/// @dev Settled and Cancelled speak of the nonce. Where one nonce was signed twice, the event of an id
/// tells which of the two it was.
enum Status {
    Open,
    Settled,
    Cancelled,
    Live,
    Lapsed
}
