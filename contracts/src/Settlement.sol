// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Books} from "./Books.sol";
import {Examination} from "./Examination.sol";
import {IAffirmation} from "./interfaces/IAffirmation.sol";
import {ISettlement} from "./interfaces/ISettlement.sol";
import {
    Instruction,
    MAX_BATCH_LEGS,
    OPTION_RECORD,
    Reason,
    SignedInstruction,
    Status
} from "./interfaces/Types.sol";
import {Ledger} from "./Ledger.sol";
import {NonceBits} from "./libraries/NonceBits.sol";
import {LEG_SIZE, LegWords, Plan, Plans} from "./libraries/Plan.sol";
import {Reasons} from "./libraries/Reasons.sol";
import {Window} from "./libraries/Window.sol";

/// @title Settlement of signed instructions, on the books
/// @dev Law: L1, L3, L4, L5, L6, L7. What stands in the way is found by Examination; here it is acted on.
contract Settlement is Examination, Ledger, ISettlement {
    using NonceBits for NonceBits.Space;
    using Reasons for Plan;

    /// @notice Parts of this contract's code that lie elsewhere, because it does not fit one: consents,
    /// reservations and cancellation; and escrows.
    address public immutable affirmation;
    address public immutable escrow;

    error AffirmationHasNoCode(address affirmation);
    error EscrowHasNoCode(address escrow);

    constructor(address authority_, address affirmation_, address escrow_) Books(authority_) {
        if (affirmation_.code.length == 0) revert AffirmationHasNoCode(affirmation_);
        // One of its own: swapped or doubled parts would leave acts that nobody answers.
        if (escrow_.code.length == 0 || escrow_ == affirmation_) revert EscrowHasNoCode(escrow_);
        affirmation = affirmation_;
        escrow = escrow_;
    }

    /// @dev Runs what is not answered here by one of the other parts of the code, on the storage of this
    /// contract. The addresses are fixed at deployment: not a proxy. Takes no ether.
    fallback() external {
        bytes4 act = msg.sig;
        bool affirms = act == IAffirmation.affirm.selector || act == IAffirmation.reserve.selector
            || act == IAffirmation.release.selector || act == IAffirmation.withdraw.selector
            || act == IAffirmation.cancel.selector;
        address code = affirms ? affirmation : escrow;
        // Ends the call frame, so that overwriting all of memory harms nobody.
        assembly {
            calldatacopy(0, 0, calldatasize())
            let success := delegatecall(gas(), code, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            switch success
            case 0 { revert(0, returndatasize()) }
            default { return(0, returndatasize()) }
        }
    }

    // ------------------------------------------------------------------------------------------ settling

    /// @inheritdoc ISettlement
    function settle(Instruction calldata instruction, bytes[] calldata signatures) external {
        Plan memory plan = Plans.blank()[0];
        _examine(plan, instruction, signatures);
        _refuseIfAny(plan);
        _settle(plan);
    }

    /// @inheritdoc ISettlement
    function settleMany(SignedInstruction[] calldata requests)
        external
        returns (bytes4[] memory codes)
    {
        if (requests.length == 0) revert BatchEmpty();
        uint256 legs = 0;
        // Bound: the sum is checked before any request is looked at; one without legs counts as one.
        for (uint256 k = 0; k < requests.length; ++k) {
            uint256 count = requests[k].instruction.legs.length;
            legs += count == 0 ? 1 : count;
        }
        if (legs > MAX_BATCH_LEGS) revert BatchTooLarge(legs, MAX_BATCH_LEGS);

        codes = new bytes4[](requests.length);
        for (uint256 k = 0; k < requests.length; ++k) {
            uint256 free;
            assembly ("memory-safe") {
                free := mload(0x40)
            }
            codes[k] = _trySettle(requests[k]);
            // Nothing that this request put into memory is read again: the next one uses the same place, so
            // that memory, whose price grows with its square, does not grow with the batch.
            assembly ("memory-safe") {
                mstore(0x40, free)
            }
        }
    }

    function _trySettle(SignedInstruction calldata request) private returns (bytes4) {
        Plan memory plan = Plans.blank()[0];
        _examine(plan, request.instruction, request.signatures);
        if (plan.none()) {
            _settle(plan);
            return 0;
        }
        Reason memory first = plan.found[0];
        emit InstructionNotSettled(
            plan.id, first.code, first.leg, first.who, first.needed, first.have
        );
        return first.code;
    }

    /// @dev Applies a plan without reasons. Cannot fail.
    function _settle(Plan memory plan) private {
        _endNonce(plan, NonceBits.SETTLED);
        LegWords memory leg = plan.firstLeg;
        uint256 count = plan.legs.length;
        for (uint256 k = 0; k < count; ++k) {
            _setHoldingAt(leg.delivererSlot, leg.delivererHolding);
            _setHoldingAt(leg.receiverSlot, leg.receiverHolding);
            _emitPosted(plan.id, leg);
            // The next leg; not read after the last.
            assembly ("memory-safe") {
                leg := add(leg, LEG_SIZE)
            }
        }
        _emitSettled(plan);
        if (plan.options & OPTION_RECORD != 0) _record(plan.id);
    }

    /// @dev For whoever asks by id.
    function _record(bytes32 id) private {
        _recorded[id] = true;
        emit InstructionRecorded(id);
    }

    /// @dev The one word of the event lies in the plan, and is clean.
    function _emitSettled(Plan memory plan) private {
        bytes32 selector = InstructionSettled.selector;
        (bytes32 id, uint256 initiator) = (plan.id, plan.initiator);
        assembly ("memory-safe") {
            log3(add(plan, 0x40), 0x20, selector, id, initiator)
        }
    }

    /// @dev The five words of the event lie in LegWords in its order, from `deliverer` on, and are clean.
    function _emitPosted(bytes32 id, LegWords memory leg) private {
        bytes32 selector = Posted.selector;
        uint256 asset = leg.asset;
        assembly ("memory-safe") {
            log3(add(leg, 0x40), 0xa0, selector, id, asset)
        }
    }

    // ------------------------------------------------------------------------------------------ views

    /// @inheritdoc ISettlement
    function whyNot(Instruction calldata instruction, bytes[] calldata signatures)
        external
        view
        returns (Reason[] memory)
    {
        Plan memory plan = Plans.blank()[0];
        _examine(plan, instruction, signatures);
        return plan.found;
    }

    /// @inheritdoc ISettlement
    function idOf(Instruction calldata instruction) external view returns (bytes32) {
        Plan memory plan = Plans.blank()[0];
        _read(plan, instruction);
        return plan.id;
    }

    /// @inheritdoc ISettlement
    function statusOf(Instruction calldata instruction) external view returns (Status) {
        Plan memory plan = Plans.blank()[0];
        _read(plan, instruction);
        if (plan.status == NonceBits.SETTLED) return Status.Settled;
        if (plan.status == NonceBits.CANCELLED) return Status.Cancelled;
        if (Window.over(instruction.settleBy)) return Status.Lapsed;
        return plan.isLive ? Status.Live : Status.Open;
    }

    /// @inheritdoc ISettlement
    function nonceStatus(address initiator, uint64 nonce) external view returns (uint8) {
        // Two bits.
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint8(_nonces[initiator].get(nonce));
    }

    /// @inheritdoc ISettlement
    function liveState(bytes32 id)
        external
        view
        returns (uint16 consents, uint8 reserved, uint8 committed, uint16 released)
    {
        Live memory live = _live[id];
        return (live.consents, live.reserved, live.committed, live.released);
    }

    /// @inheritdoc ISettlement
    function isWithdrawn(address account, bytes32 id) external view returns (bool) {
        return _withdrawn[account][id];
    }
}
