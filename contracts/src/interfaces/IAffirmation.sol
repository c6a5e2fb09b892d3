// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Instruction, Reason} from "./Types.sol";

/// @title Consents on chain, reservations, and the ends that are not settlement
/// @notice Every act here is a signed message that anyone may relay, or the account's own call.
interface IAffirmation {
    /// @notice Consents came on chain. `consents` has a bit per account, in order of first appearance.
    event InstructionAffirmed(
        bytes32 indexed id, address indexed initiator, uint64 nonce, uint16 consents, uint8 accounts
    );

    /// @notice The account's deliveries under the instruction are held; see HoldPlaced for each.
    event Reserved(bytes32 indexed id, address indexed account, bool committed);

    /// @notice The account ended its own reservation, or anyone did after the deadline.
    event ReservationEnded(bytes32 indexed id, address indexed account);

    /// @notice The account took its consent back; this id can settle no more. `consents` are those left on
    /// chain.
    event ConsentWithdrawn(bytes32 indexed id, address indexed account, uint16 consents);

    /// @notice Cancelled by its initiator alone or by all accounts together. Final.
    event InstructionCancelled(
        bytes32 indexed id, address indexed initiator, uint64 nonce, bool byAll
    );

    /// @notice Affirmation is code of Settlement and is not called by itself.
    error OnlyForSettlement();

    /// @notice The first reason, in the order of `whyNot`.
    error Refused(bytes32 id, Reason reason);

    /// @notice Puts consents on chain. The initiator's comes first or in the same call: nobody else can
    /// make a nonce live. Once all consents are on chain no account can take its own back; therefore
    /// settleBy is at most MAX_WINDOW away.
    /// @param signatures one per account over the instruction; empty where none is brought now; the
    /// caller's own place may be empty
    /// @dev Law: L3, L4, L10.
    function affirm(Instruction calldata instruction, bytes[] calldata signatures) external;

    /// @notice Holds all that the account delivers under a live instruction, until settleBy, and records
    /// its consent. Withdrawable: its owner ends it by `release`. Committed: binds, once every leg is held
    /// committed and all consents are on chain; nobody ends it then but all accounts together, by `cancel`.
    /// @param signature over `Reservation(address account,bytes32 instruction,bool committed)`, or empty if the account
    /// calls. It serves once: after a release only the account's own call reserves again.
    /// @dev Law: L3, L5, L7.
    function reserve(
        Instruction calldata instruction,
        address account,
        bool committed,
        bytes calldata signature
    ) external;

    /// @notice Ends the account's reservation unless it binds; from settleBy on anyone may call it.
    /// @param signature over `Release(address account,bytes32 instruction)`, or empty if the account calls or the
    /// deadline has passed. It serves once.
    /// @dev Asks nothing about standing or freezes. Law: L5, L7.
    function release(Instruction calldata instruction, address account, bytes calldata signature)
        external;

    /// @notice Takes back the consent of an account other than the initiator, for good, and ends its
    /// reservation. Not once all consents are on chain.
    /// @param signature over `Withdrawal(address account,bytes32 instruction)`, or empty if the account calls
    /// @dev Law: L5.
    function withdraw(Instruction calldata instruction, address account, bytes calldata signature)
        external;

    /// @notice Ends an instruction: by its initiator alone until all consents are on chain, by all
    /// accounts together at any time before settleBy. All its reservations end with it.
    /// @param validBy unix second from which the signatures serve no more, so that who signed first gives no
    /// option to who signs last
    /// @param signatures over `Cancellation(address account,bytes32 instruction,uint64 validBy)`: one, of the initiator, or one of every
    /// account in order; the caller's own may be empty
    /// @dev Law: L4, L5.
    function cancel(Instruction calldata instruction, uint64 validBy, bytes[] calldata signatures)
        external;
}
