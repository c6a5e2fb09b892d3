// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Books} from "./Books.sol";
import {Examination} from "./Examination.sol";
import {IAffirmation} from "./interfaces/IAffirmation.sol";
import {ISettlement} from "./interfaces/ISettlement.sol";
import {
    Holding,
    Instruction,
    Leg,
    MAX_BATCH_LEGS,
    Reason,
    SignedInstruction,
    Status
} from "./interfaces/Types.sol";
import {Ledger} from "./Ledger.sol";
import {NonceBits} from "./libraries/NonceBits.sol";
import {Window} from "./libraries/Window.sol";

/// @title Settlement of signed instructions, on the books
/// @dev Law: L1, L3, L4, L5, L6, L7. What stands in the way is found by Examination; here it is acted on.
contract Settlement is Examination, Ledger, ISettlement {
    using NonceBits for NonceBits.Space;

    /// @notice The other half of this contract's code: consents, reservations and cancellation.
    address public immutable affirmation;

    constructor(address authority_, address affirmation_) Books(authority_) {
        affirmation = affirmation_;
    }

    // ------------------------------------------------------------------------------------------ settling

    /// @inheritdoc ISettlement
    function settle(Instruction calldata instruction, bytes[] calldata signatures) external {
        (Reason[] memory reasons, Plan memory plan) = _examine(instruction, signatures);
        _refuseIf(plan.id, reasons);
        _settle(instruction, plan);
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
            codes[k] = _trySettle(requests[k].instruction, requests[k].signatures);
        }
    }

    function _trySettle(Instruction calldata instruction, bytes[] calldata signatures)
        private
        returns (bytes4)
    {
        (Reason[] memory reasons, Plan memory plan) = _examine(instruction, signatures);
        if (reasons.length == 0) {
            _settle(instruction, plan);
            return 0;
        }
        Reason memory first = reasons[0];
        emit InstructionNotSettled(
            plan.id, first.code, first.leg, first.who, first.needed, first.have
        );
        return first.code;
    }

    /// @dev Applies a plan without reasons. Cannot fail.
    function _settle(Instruction calldata instruction, Plan memory plan) private {
        _endNonce(instruction, plan, NonceBits.SETTLED);
        for (uint256 k = 0; k < instruction.legs.length; ++k) {
            Leg calldata leg = instruction.legs[k];
            Holding memory deliverer = plan.next[2 * k];
            Holding memory receiver = plan.next[2 * k + 1];
            _holdings[_key(leg.deliverer, leg.asset)] = deliverer;
            _holdings[_key(leg.receiver, leg.asset)] = receiver;
            emit Posted(
                plan.id, leg.asset, leg.deliverer, leg.receiver, leg.quantity, deliverer, receiver
            );
        }
        emit InstructionSettled(plan.id, instruction.initiator, instruction.nonce);
    }

    // ------------------------------------------------------------------------------------------ affirming and failing

    /// @inheritdoc IAffirmation
    function affirm(Instruction calldata, bytes[] calldata) external {
        _delegate();
    }

    /// @inheritdoc IAffirmation
    function reserve(Instruction calldata, address, bool, bytes calldata) external {
        _delegate();
    }

    /// @inheritdoc IAffirmation
    function release(Instruction calldata, address, bytes calldata) external {
        _delegate();
    }

    /// @inheritdoc IAffirmation
    function withdraw(Instruction calldata, address, bytes calldata) external {
        _delegate();
    }

    /// @inheritdoc IAffirmation
    function cancel(Instruction calldata, bytes[] calldata) external {
        _delegate();
    }

    /// @dev Runs the same call by the code of Affirmation on the storage of this contract. The address is
    /// fixed at deployment: half of this contract's code that lives elsewhere, not a proxy.
    function _delegate() private {
        address code = affirmation;
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

    // ------------------------------------------------------------------------------------------ views

    /// @inheritdoc ISettlement
    function whyNot(Instruction calldata instruction, bytes[] calldata signatures)
        external
        view
        returns (Reason[] memory reasons)
    {
        (reasons,) = _examine(instruction, signatures);
    }

    /// @inheritdoc ISettlement
    function idOf(Instruction calldata instruction) external view returns (bytes32) {
        return _idOf(instruction);
    }

    /// @inheritdoc ISettlement
    function statusOf(Instruction calldata instruction) external view returns (Status) {
        uint8 nonce = _nonces[instruction.initiator].get(instruction.nonce);
        if (nonce == NonceBits.SETTLED) return Status.Settled;
        if (nonce == NonceBits.CANCELLED) return Status.Cancelled;
        if (Window.over(instruction.settleBy)) return Status.Lapsed;
        bool isLive = nonce == NonceBits.LIVE && _live[_idOf(instruction)].consents != 0;
        return isLive ? Status.Live : Status.Open;
    }

    /// @inheritdoc ISettlement
    function nonceStatus(address initiator, uint64 nonce) external view returns (uint8) {
        return _nonces[initiator].get(nonce);
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
