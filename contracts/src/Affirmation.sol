// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Books} from "./Books.sol";
import {Examination} from "./Examination.sol";
import {IAffirmation} from "./interfaces/IAffirmation.sol";
import {Instruction, Leg, MAX_WINDOW, Reason} from "./interfaces/Types.sol";
import {InstructionTerms} from "./libraries/InstructionTerms.sol";
import {NonceBits} from "./libraries/NonceBits.sol";
import {Reasons} from "./libraries/Reasons.sol";
import {Signatures} from "./libraries/Signatures.sol";
import {Typed} from "./libraries/Typed.sol";
import {Window} from "./libraries/Window.sol";

/// @title Consents on chain, reservations, and the ends that are not settlement
/// @dev Code of Settlement, which runs it on its own storage by delegatecall. Called directly it knows no
/// account and no asset, and refuses. Law: L3, L4, L5, L7, L10.
contract Affirmation is Examination, IAffirmation {
    using InstructionTerms for address[];
    using NonceBits for NonceBits.Space;
    using Reasons for Reason[];

    constructor(address authority_) Books(authority_) {}

    // ------------------------------------------------------------------------------------------ affirming

    /// @inheritdoc IAffirmation
    function affirm(Instruction calldata instruction, bytes[] calldata signatures) external {
        Plan memory plan = _enter(instruction);
        Reason[] memory reasons;
        uint256 count = plan.accounts.length;
        if (signatures.length != count) {
            _refuseIf(
                plan.id,
                reasons.with(Reasons.SIGNATURES, 0, instruction.initiator, count, signatures.length)
            );
        }
        uint16 consents = plan.live.consents;
        for (uint256 k = 0; k < count; ++k) {
            address account = plan.accounts[k];
            bool brought = signatures[k].length != 0;
            if (!brought && account != msg.sender) continue;
            reasons = _examineEntry(reasons, plan.id, k, account);
            if (brought && !Signatures.binds(plan.id, account, signatures[k])) {
                reasons = reasons.with(Reasons.BAD_SIGNATURE, k, account, 0, 0);
            }
            consents |= _bit(k);
        }
        if (consents == plan.live.consents) {
            reasons = reasons.with(Reasons.NOTHING_NEW, 0, msg.sender, 0, 0);
        }
        // Nobody but the initiator makes a nonce live.
        uint256 initiator = plan.accounts.indexOf(instruction.initiator);
        if (consents & _bit(initiator) == 0) {
            reasons = reasons.with(Reasons.NO_CONSENT, initiator, instruction.initiator, 0, 0);
        }
        _refuseIf(plan.id, reasons);

        if (!plan.isLive) {
            _nonces[instruction.initiator].move(instruction.nonce, NonceBits.OPEN, NonceBits.LIVE);
        }
        _setConsents(instruction, plan, consents);
    }

    /// @inheritdoc IAffirmation
    function reserve(
        Instruction calldata instruction,
        address account,
        bool committed,
        bytes calldata signature
    ) external {
        Plan memory plan = _enter(instruction);
        uint256 index = plan.accounts.indexOf(account);
        if (!plan.isLive) _refuse(plan.id, Reasons.NO_CONSENT, instruction.initiator);
        if (plan.deliverers & (1 << index) == 0) _refuse(plan.id, Reasons.NOT_A_PARTY, account);
        Reason[] memory reasons;
        if (Window.tooFar(instruction.settleBy, MAX_WINDOW)) {
            reasons = reasons.with(
                Reasons.TOO_FAR, 0, account, block.timestamp + MAX_WINDOW, instruction.settleBy
            );
        }
        reasons = _examineEntry(reasons, plan.id, index, account);
        reasons = _examineMessage(
            reasons, plan, index, account, Typed.reservation(plan.id, committed), signature
        );
        if (_accounts[account].frozen) {
            reasons = reasons.with(Reasons.ACCOUNT_FROZEN, index, account, 0, 0);
        }
        _refuseIf(plan.id, reasons);

        if (!_holdLegs(instruction, plan, account, committed)) {
            _refuse(plan.id, Reasons.RESERVATION, account);
        }
        uint16 consents = plan.live.consents | _bit(index);
        if (consents != plan.live.consents) _setConsents(instruction, plan, consents);
        emit Reserved(plan.id, account, committed);
    }

    /// @dev Holds each leg that the account delivers and that is not held yet; turns withdrawable into
    /// committed, never back. Says whether that changed anything.
    function _holdLegs(
        Instruction calldata instruction,
        Plan memory plan,
        address account,
        bool committed
    ) private returns (bool) {
        uint8 mine = _legsOf(instruction, account);
        Live storage live = _live[plan.id];
        Reason[] memory reasons;
        for (uint256 k = 0; k < instruction.legs.length; ++k) {
            if (mine & ~plan.live.reserved & (1 << k) == 0) continue;
            Leg calldata leg = instruction.legs[k];
            if (!_isOpen(leg.asset)) reasons = _examineAsset(reasons, k, leg.asset);
            uint128 available = _holdings[_key(account, leg.asset)].available;
            if (available < leg.quantity) reasons = _lack(reasons, k, leg, available);
            // Holding cannot be undone leg by leg, refusing undoes it all.
            _refuseIf(plan.id, reasons);
            _hold(_holdOf(instruction, plan.id, k));
        }
        live.reserved = plan.live.reserved | mine;
        if (committed) live.committed = plan.live.committed | mine;
        return live.reserved != plan.live.reserved || live.committed != plan.live.committed;
    }

    function _setConsents(Instruction calldata instruction, Plan memory plan, uint16 consents)
        private
    {
        _live[plan.id].consents = consents;
        emit InstructionAffirmed(
            plan.id,
            instruction.initiator,
            instruction.nonce,
            consents,
            // At most 16 accounts.
            // forge-lint: disable-next-line(unsafe-typecast)
            uint8(plan.accounts.length)
        );
    }

    // ------------------------------------------------------------------------------------------ failing

    /// @inheritdoc IAffirmation
    function release(Instruction calldata instruction, address account, bytes calldata signature)
        external
    {
        (Reason[] memory reasons, Plan memory plan) = _read(instruction);
        _refuseIf(plan.id, reasons);
        uint8 mine = _legsOf(instruction, account) & plan.live.reserved;
        if (mine == 0) _refuse(plan.id, Reasons.RESERVATION, account);
        uint256 index = plan.accounts.indexOf(account);
        if (!Window.over(instruction.settleBy)) {
            if (_binding(instruction, plan)) _refuse(plan.id, Reasons.BINDING, account);
            bytes32 message = Typed.about(Typed.RELEASE_TYPE, plan.id);
            _refuseIf(plan.id, _examineMessage(reasons, plan, index, account, message, signature));
        }
        _live[plan.id].released |= _bit(index);
        _releaseLegs(instruction, plan.id, mine);
        emit ReservationEnded(plan.id, account);
    }

    /// @inheritdoc IAffirmation
    function withdraw(Instruction calldata instruction, address account, bytes calldata signature)
        external
    {
        Plan memory plan = _enter(instruction);
        uint256 index = plan.accounts.indexOf(account);
        // The initiator has `cancel`.
        if (index == plan.accounts.length || account == instruction.initiator) {
            _refuse(plan.id, Reasons.NOT_A_PARTY, account);
        }
        if (_allConsented(plan)) _refuse(plan.id, Reasons.IRREVOCABLE, account);
        if (_withdrawn[account][plan.id]) _refuse(plan.id, Reasons.WITHDRAWN, account);
        if (!_agrees(account, Typed.about(Typed.WITHDRAWAL_TYPE, plan.id), signature)) {
            _refuse(plan.id, Reasons.BAD_SIGNATURE, account);
        }

        _withdrawn[account][plan.id] = true;
        _accounts[account].withdrawals += 1;
        if (plan.isLive) {
            _live[plan.id].consents &= ~_bit(index);
            _releaseLegs(instruction, plan.id, _legsOf(instruction, account) & plan.live.reserved);
        }
        emit ConsentWithdrawn(plan.id, account);
    }

    /// @inheritdoc IAffirmation
    function cancel(Instruction calldata instruction, bytes[] calldata signatures) external {
        Plan memory plan = _enter(instruction);
        bytes32 message = Typed.about(Typed.CANCELLATION_TYPE, plan.id);
        uint256 count = plan.accounts.length;
        bool byAll = signatures.length == count;
        if (byAll) {
            for (uint256 k = 0; k < count; ++k) {
                if (!_agrees(plan.accounts[k], message, signatures[k])) {
                    _refuse(plan.id, Reasons.BAD_SIGNATURE, plan.accounts[k]);
                }
            }
        } else {
            if (signatures.length != 1) {
                Reason[] memory reasons;
                _refuseIf(
                    plan.id,
                    reasons.with(
                        Reasons.SIGNATURES, 0, instruction.initiator, count, signatures.length
                    )
                );
            }
            if (_allConsented(plan)) _refuse(plan.id, Reasons.IRREVOCABLE, instruction.initiator);
            if (!_agrees(instruction.initiator, message, signatures[0])) {
                _refuse(plan.id, Reasons.BAD_SIGNATURE, instruction.initiator);
            }
        }
        _endNonce(instruction, plan, NonceBits.CANCELLED);
        emit InstructionCancelled(plan.id, instruction.initiator, instruction.nonce, byAll);
    }

    function _releaseLegs(Instruction calldata instruction, bytes32 id, uint8 legs) private {
        Live storage live = _live[id];
        live.reserved &= ~legs;
        live.committed &= ~legs;
        _unholdLegs(instruction, id, legs, false);
    }
}
