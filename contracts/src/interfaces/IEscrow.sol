// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev Bounds of an escrow, each checked when it is opened (law L9).
uint256 constant MAX_ESCROW_LINES = 16;
uint256 constant MAX_MILESTONES = 8;
uint256 constant MAX_ARBITERS = 7;
uint256 constant MAX_PROGRAM = 2048;
uint256 constant MAX_CONDITION_NODES = 32;
uint256 constant MAX_CONDITION_DEPTH = 4;
/// @dev The furthest deadline, and the longest that one dispute may move one.
uint256 constant MAX_ESCROW_WINDOW = 1096 days;
uint256 constant MAX_DISPUTE = 90 days;
/// @dev The least time between two instants of which one must be acted on before the other.
uint256 constant MIN_STEP = 1 hours;
/// @dev How long an outcome waits behind a freeze before those who are not frozen may have theirs back.
uint256 constant MAX_WAIT = 30 days;

/// @notice One payment that hangs on a milestone. The whole `quantity` is held in the depositor's own
/// holding from the opening on; what the milestone's end does not pay to the beneficiary becomes
/// available to the depositor again.
/// @param milestone index into `deadlines`; lines stand in its order
/// @param ifMet what the beneficiary gets if the condition holds
/// @param byDefault what it gets if the deadline comes first
/// @param ifUnruled what it gets if there was a dispute and nobody ruled
struct EscrowLine {
    uint8 milestone;
    uint32 asset;
    address depositor;
    address beneficiary;
    uint128 quantity;
    uint128 ifMet;
    uint128 byDefault;
    uint128 ifUnruled;
}

/// @notice Written terms. Their EIP-712 digest is the escrow's id (law L4); a deposit is the sum of its
/// depositor's lines, so that no milestone can pay what is not held.
/// @param openBy unix second from which the signatures open nothing any more; before every deadline
/// @param deadlines unix second of each milestone from which evidence counts no more, MIN_STEP after
/// `openBy` and after every instant and milestone that its condition names
/// @param program the milestones' conditions in their order, see `Conditions`
/// @param arbiters the panel; never a depositor or a beneficiary; empty: no disputes
/// @param quorum how many of them rule; more than half
/// @param answerTime seconds that the panel has from a dispute on, at least
/// @param fallbackArbiter rules alone when the panel was silent; 0: none
/// @param fallbackTime seconds that the fallback has after that
/// @param text keccak256 of the terms as printed in English
/// @param ref salted digest of the parties' reference
/// @param salt makes equal terms two escrows
struct EscrowTerms {
    uint64 openBy;
    EscrowLine[] lines;
    uint64[] deadlines;
    bytes program;
    address[] arbiters;
    uint8 quorum;
    uint64 answerTime;
    address fallbackArbiter;
    uint64 fallbackTime;
    bytes32 text;
    bytes32 ref;
    bytes32 salt;
}

/// @notice How much went to the beneficiaries: all that was held, nothing, or something between.
enum Outcome {
    None,
    Released,
    Refunded,
    Split
}

/// @notice What ended a milestone. The ladder of precedence, see docs/escrow.md.
enum EndedBy {
    Agreement,
    Condition,
    Panel,
    FallbackArbiter,
    Default,
    Silence
}

/// @notice Where a milestone stands at this instant.
/// @dev Unopened, Open, DisputeBeforePanel, DisputeBeforeFallback, Due (only the default is left, or an
/// agreement), Waiting (outcome fixed, payment waits for the end of a freeze), Ended.
enum MilestoneState {
    Unopened,
    Open,
    BeforePanel,
    BeforeFallback,
    Due,
    Waiting,
    Ended
}

/// @notice A milestone now. `ways` has bit `1 << EndedBy` for each end that is possible at this instant,
/// WAY_DISPUTE, WAY_PAY_OUT and WAY_GIVE_UP besides.
/// @param until unix second at which this state ends by itself; 0 where it does not
/// @param deadline with what disputes moved it by
struct MilestoneNow {
    MilestoneState state;
    Outcome outcome;
    uint64 until;
    uint64 deadline;
    uint16 ways;
}

uint16 constant WAY_DISPUTE = 1 << 6;
uint16 constant WAY_PAY_OUT = 1 << 7;
uint16 constant WAY_GIVE_UP = 1 << 8;

/// @notice One arbiter's word.
/// @param arbiter index into the panel
struct Ruling {
    uint8 arbiter;
    bytes4 reason;
    uint64 validBy;
    bytes signature;
}

/// @title Escrow: value under written terms that execute themselves and always end
/// @notice Every act is a signed message that anyone may relay. The caller brings the terms; the chain
/// keeps one word an escrow. Evidence and agreement count before they are overtaken, never after.
/// @dev Every function that takes `terms` reverts with EscrowUnknown if they are not those of an open escrow.
interface IEscrow {
    /// @notice Opened and funded. `openedAt` is the block's time.
    event EscrowOpened(bytes32 indexed id, uint8 milestones, uint8 lines, bytes32 text);
    /// @notice A line's quantity became held, title unmoved. The holding is as stored, see `Posted`.
    event LineHeld(
        bytes32 indexed id,
        uint8 line,
        address depositor,
        uint32 asset,
        uint128 quantity,
        uint256 holding
    );
    /// @notice What is not paid became available to its owner again.
    event LineReturned(
        bytes32 indexed id,
        uint8 line,
        address depositor,
        uint32 asset,
        uint128 quantity,
        uint256 holding
    );
    /// @notice Held value became the beneficiary's.
    event LinePaid(
        bytes32 indexed id,
        uint8 line,
        uint32 asset,
        address depositor,
        address beneficiary,
        uint128 quantity,
        uint256 depositorHolding,
        uint256 beneficiaryHolding
    );
    /// @notice The outcome is fixed. `waits` says that the payments stand behind a freeze; PaymentsMade
    /// follows then.
    /// @param paid per line of the milestone
    event MilestoneEnded(
        bytes32 indexed id, uint8 milestone, EndedBy by, Outcome outcome, bool waits, uint128[] paid
    );
    event PaymentsMade(bytes32 indexed id, uint8 milestone);
    /// @notice The payments of an outcome that waited too long went back to their depositors.
    event PaymentsGivenUp(bytes32 indexed id, uint8 milestone, address indexed account);
    /// @param evidence hash of the file that the party keeps
    event DisputeOpened(
        bytes32 indexed id, uint8 milestone, address indexed account, bytes32 evidence
    );
    /// @notice One arbiter's reason, behind MilestoneEnded.
    event Ruled(bytes32 indexed id, uint8 milestone, address indexed arbiter, bytes4 reason);
    /// @notice The account took its signature back: these terms can never be opened.
    event EscrowConsentWithdrawn(bytes32 indexed id, address indexed account);

    error OnlyForTheBooks();

    // Terms that cannot be opened.
    error TooManyLines(uint256 lines, uint256 max);
    error TooManyMilestones(uint256 milestones, uint256 max);
    error TooManyArbiters(uint256 arbiters, uint256 max);
    error ProgramTooLong(uint256 length, uint256 max);
    error LineInvalid(uint256 line);
    error PaysMoreThanHeld(uint256 line, uint256 paid, uint256 quantity);
    error MilestoneWithoutLines(uint256 milestone);
    error DeadlinesInvalid(uint256 milestone, uint64 deadline, uint256 limit);
    error ConditionMalformed(uint256 milestone, uint256 offset);
    error ConditionTooLarge(uint256 milestone, uint256 nodes, uint256 max);
    error ConditionTooDeep(uint256 milestone, uint256 max);
    error ProgramNotUsedUp(uint256 used, uint256 length);
    error PanelInvalid();
    error NeutralIsParty(address neutral);

    // Opening.
    error EscrowAlreadyOpened(bytes32 id);
    error EscrowUnknown(bytes32 id);
    error SignaturesMissing(uint256 given, uint256 needed);
    error ConsentWasWithdrawn(bytes32 id);

    // Ends.
    error MilestoneUnknown(uint256 milestone);
    error MilestoneHasEnded(bytes32 id, uint256 milestone);
    error EvidenceCount(uint256 given, uint256 needed);
    error EvidenceInvalid(uint256 index);
    error PreimageLength(uint256 index, uint256 length);
    error PreimageWrong(uint256 index);
    error EvidenceFromTheFuture(uint256 index, uint64 observedAt, uint256 now_);
    error EvidenceStale(uint256 index, uint64 observedAt, uint256 earliest);
    error ReadingOfAnotherRound(uint256 index, uint256 given, uint256 wanted);
    error FeedSilent(uint256 index, address feed);
    error InstructionNotTheOne(uint256 index, bytes32 id, bytes32 wanted);
    error ConditionNotMet(bytes32 id, uint256 milestone);
    error PaidListInvalid(uint256 given, uint256 needed);
    error SplitDoesNotSum(uint256 line, uint256 paid, uint256 quantity);
    error NotAParty(address account);
    error DisputeNotAllowed(bytes32 id, uint256 milestone);
    error DisputedBefore(bytes32 id, uint256 milestone);
    error NotDisputed(bytes32 id, uint256 milestone);
    error RulingTooEarly(uint64 from, uint256 now_);
    error QuorumMissing(uint256 rulings, uint256 quorum);
    error ArbiterUnknown(uint256 arbiter);
    error ArbiterTwice(uint256 arbiter);
    error TooEarlyForDefault(uint64 deadline, uint256 now_);
    error NothingWaits(bytes32 id, uint256 milestone);
    error PaymentsFrozen(bytes32 id, uint256 milestone);
    error TooEarlyToGiveUp(uint64 from, uint256 now_);
    error PaymentsNotFrozen(bytes32 id, uint256 milestone);

    /// @notice Opens and funds: every line's quantity becomes held, or nothing does.
    /// @param signatures over the terms, one per account in order of first appearance: each line's
    /// depositor, then its beneficiary, then the arbiters, then the fallback
    /// @dev Requires: bounds and form of the terms; now < openBy; parties admitted; depositors and assets
    /// not frozen; deposits available. Law: L3, L4, L9, L10.
    function openEscrow(EscrowTerms calldata terms, bytes[] calldata signatures) external;

    /// @notice Takes the account's signature under terms that are not open back, for good: they need
    /// everybody's, so nobody can open them any more.
    /// @param account one of those whose signatures `openEscrow` wants
    /// @param signature over `EscrowWithdrawal(address account,bytes32 escrow)`, or empty if the account calls
    function withdrawFromEscrow(
        EscrowTerms calldata terms,
        address account,
        bytes calldata signature
    ) external;

    /// @notice Ends a milestone whose condition holds: pays `ifMet`. Before its deadline only.
    /// @param evidence one per leaf of the condition that takes some, in its order; empty: not shown
    /// @dev Law: L5, L7. Evidence that is brought and is not good reverts, it does not count as missing.
    function endByCondition(
        EscrowTerms calldata terms,
        uint256 milestone,
        bytes[] calldata evidence
    ) external;

    /// @notice Ends a milestone as all its depositors and beneficiaries agree, at any time before its end.
    /// Those of milestones that depend on it agree too: its outcome moves their value.
    /// @param paid per line of the milestone
    /// @param signatures over `EscrowSplit(bytes32 escrow,uint8 milestone,address account,uint128[] paid,uint64 validBy)`
    /// in order of first appearance in the lines of all these milestones; the caller's own may be empty
    function endByAgreement(
        EscrowTerms calldata terms,
        uint256 milestone,
        uint128[] calldata paid,
        uint64 validBy,
        bytes[] calldata signatures
    ) external;

    /// @notice Asks the panel, once a milestone and before its deadline, which moves by answerTime +
    /// fallbackTime, with those of its dependants.
    /// @param signature over `EscrowDispute(bytes32 escrow,uint8 milestone,address account,bytes32 evidence,uint64 validBy)`,
    /// or empty if the account calls
    /// @dev Not where a hash lock is involved: whoever knows the secret must be able to rely on the clock.
    function openDispute(
        EscrowTerms calldata terms,
        uint256 milestone,
        address account,
        bytes32 evidence,
        uint64 validBy,
        bytes calldata signature
    ) external;

    /// @notice Ends a disputed milestone as the panel rules, until fallbackTime before the first instant at
    /// which the clock alone could end it; as the fallback rules alone, after that. Not in the block of
    /// the dispute.
    /// @param rulings each over
    /// `EscrowRuling(bytes32 escrow,uint8 milestone,address arbiter,uint128[] paid,bytes4 reason,uint64 validBy)`;
    /// the panel's in ascending order of arbiters; the fallback's one has index 255
    function endByRuling(
        EscrowTerms calldata terms,
        uint256 milestone,
        uint128[] calldata paid,
        Ruling[] calldata rulings
    ) external;

    /// @notice From the deadline on: pays `byDefault`, or `ifUnruled` where there was a dispute.
    /// @dev Law: L10. Anyone may call it.
    function endByDefault(EscrowTerms calldata terms, uint256 milestone) external;

    /// @notice Makes the payments of a milestone whose outcome was fixed while a freeze stopped them.
    /// @param paid as in MilestoneEnded
    function payOut(EscrowTerms calldata terms, uint256 milestone, uint128[] calldata paid) external;

    /// @notice When payments have waited MAX_WAIT behind the freeze of others, a depositor whose own are not
    /// stopped sends all of the milestone back to their depositors. Nobody is paid without paying.
    /// @param paid as in MilestoneEnded
    /// @dev Requires: the call of a depositor whose waiting payments are free. Law: L5.
    function giveUpPayments(EscrowTerms calldata terms, uint256 milestone, uint128[] calldata paid)
        external;

    /// @notice Each milestone's state, what would end it now, and until when.
    /// @dev Law: L6. Tells ways that the clock and the terms allow; whether a signature or a piece of
    /// evidence is good, the call itself says. Never reverts.
    function whatNow(EscrowTerms calldata terms) external view returns (MilestoneNow[] memory);

    function escrowIdOf(EscrowTerms calldata terms) external view returns (bytes32);

    /// @notice When the escrow was opened, or 0; two bits of Outcome and one of waiting a milestone; a bit
    /// a disputed milestone.
    function escrowState(bytes32 id)
        external
        view
        returns (uint64 openedAt, uint32 outcomes, uint8 disputed);

    /// @notice Whether somebody withdrew from the terms, so that they can never be opened.
    function isWithdrawnFromEscrow(bytes32 id) external view returns (bool);

    /// @notice Whether exactly this instruction settled; only those with OPTION_RECORD are remembered.
    function isRecordedSettled(bytes32 instruction) external view returns (bool);
}
