// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Books} from "./Books.sol";
import {Examination} from "./Examination.sol";
import {IAffirmation} from "./interfaces/IAffirmation.sol";
import {Instruction, MAX_WINDOW, Reason} from "./interfaces/Types.sol";
import {AccountList} from "./libraries/AccountList.sol";
import {HoldingWord} from "./libraries/HoldingWord.sol";
import {NonceBits} from "./libraries/NonceBits.sol";
import {LegWords, Plan, Plans} from "./libraries/Plan.sol";
import {Reasons} from "./libraries/Reasons.sol";
import {Signatures} from "./libraries/Signatures.sol";
import {Typed} from "./libraries/Typed.sol";
import {Window} from "./libraries/Window.sol";

/// @title Consents on chain, reservations, and the ends that are not settlement
/// @dev Code of Settlement, which runs it on its own storage by delegatecall. Law: L3, L4, L5, L7, L10.
contract Affirmation is Examination, IAffirmation {
    using AccountList for uint256[];
    using HoldingWord for uint256;
    using NonceBits for NonceBits.Space;
    using Reasons for Plan;

    /// @dev Where this code is deployed; under delegatecall `address(this)` is another.
    address private immutable SELF = address(this);

    constructor(address authority_) Books(authority_) {}

    /// @dev A direct call would write this contract's own storage and emit events that mean nothing.
    modifier delegated() {
        if (address(this) == SELF) revert OnlyForSettlement();
        _;
    }

    // ------------------------------------------------------------------------------------------ affirming

    /// @inheritdoc IAffirmation
    function affirm(Instruction calldata instruction, bytes[] calldata signatures)
        external
        delegated
    {
        Plan memory plan = Plans.blank()[0];
        _enter(plan, instruction);
        uint256 count = plan.accounts.length;
        if (signatures.length != count) {
            plan.add(Reasons.SIGNATURES, 0, plan.initiator, count, signatures.length);
            _refuseIfAny(plan);
        }
        // Nobody is bound for longer, and nothing held either: a reservation needs what is affirmed.
        if (Window.tooFar(plan.settleBy, MAX_WINDOW)) {
            uint256 latest = block.timestamp + MAX_WINDOW;
            plan.add(Reasons.TOO_FAR, 0, plan.initiator, latest, plan.settleBy);
        }
        uint256 consents = plan.consents;
        for (uint256 k = 0; k < count; ++k) {
            address account = _address(plan.accounts[k]);
            bool brought = signatures[k].length != 0;
            // A caller whose consent is on chain already only relays that of others.
            if (!brought && (account != msg.sender || consents & _bit(k) != 0)) continue;
            _examineEntry(plan, k);
            if (brought && !Signatures.binds(plan.id, account, signatures[k])) {
                plan.add(Reasons.BAD_SIGNATURE, k, uint160(account), 0, 0);
            }
            consents |= _bit(k);
        }
        if (consents == plan.consents) plan.add(Reasons.NOTHING_NEW, 0, uint160(msg.sender), 0, 0);
        // Nobody but the initiator makes a nonce live.
        uint256 initiator = plan.accounts.indexOf(plan.initiator);
        if (consents & _bit(initiator) == 0) {
            plan.add(Reasons.NO_CONSENT, initiator, plan.initiator, 0, 0);
        }
        _refuseIfAny(plan);

        if (!plan.isLive) {
            _nonces[_initiator(plan)].move(plan.nonce, NonceBits.OPEN, NonceBits.LIVE);
        }
        _setConsents(plan, consents);
    }

    /// @inheritdoc IAffirmation
    function reserve(
        Instruction calldata instruction,
        address account,
        bool committed,
        bytes calldata signature
    ) external delegated {
        Plan memory plan = Plans.blank()[0];
        _enter(plan, instruction);
        uint256 index = _indexOf(plan, account);
        if (!plan.isLive) _refuse(plan, Reasons.NO_CONSENT, _initiator(plan));
        if (plan.deliverers & _bit(index) == 0) _refuse(plan, Reasons.NOT_A_PARTY, account);
        _examineEntry(plan, index);
        _examineMessage(plan, index, Typed.reservation(account, plan.id, committed), signature);
        if (_accounts[account].frozen) {
            plan.add(Reasons.ACCOUNT_FROZEN, index, uint160(account), 0, 0);
        }
        _refuseIfAny(plan);

        _holdLegs(plan, account, committed);
        uint256 consents = plan.consents | _bit(index);
        if (consents != plan.consents) _setConsents(plan, consents);
        emit Reserved(plan.id, account, committed);
    }

    /// @dev Holds each leg that the account delivers and that is not held yet; turns withdrawable into
    /// committed, never back. Refuses where that would change nothing.
    function _holdLegs(Plan memory plan, address account, bool committed) private {
        uint256 mine = _legsOf(plan, account);
        uint256 reserved = plan.reserved | mine;
        uint256 binding = committed ? plan.committed | mine : plan.committed;
        if (reserved == plan.reserved && binding == plan.committed) {
            _refuse(plan, Reasons.RESERVATION, account);
        }
        _storeLegBits(plan, reserved, binding);
        for (uint256 k = 0; k < plan.legs.length; ++k) {
            if ((reserved ^ plan.reserved) & _bit(k) == 0) continue;
            LegWords memory leg = plan.legs[k];
            if (!_isOpen(leg.asset)) _findAsset(plan, k, leg.asset);
            uint256 available = _holdings[_keyOf(uint160(account), leg.asset)].available();
            if (available < leg.quantity) _findLack(plan, k, leg, available);
            // Legs of one asset lean on each other: each is asked when the earlier ones are held.
            _refuseIfAny(plan);
            _hold(_holdOf(plan, k));
        }
    }

    /// @dev A bit a leg, of which there are at most 8.
    function _storeLegBits(Plan memory plan, uint256 reserved, uint256 committed) private {
        // forge-lint: disable-start(unsafe-typecast)
        _live[plan.id].reserved = uint8(reserved);
        _live[plan.id].committed = uint8(committed);
        // forge-lint: disable-end(unsafe-typecast)
    }

    function _setConsents(Plan memory plan, uint256 consents) private {
        // A clean word, and a bit an account, of which there are at most 16.
        // forge-lint: disable-start(unsafe-typecast)
        _live[plan.id].consents = uint16(consents);
        emit InstructionAffirmed(
            plan.id,
            _initiator(plan),
            uint64(plan.nonce),
            uint16(consents),
            uint8(plan.accounts.length)
        );
        // forge-lint: disable-end(unsafe-typecast)
    }

    // ------------------------------------------------------------------------------------------ failing

    /// @inheritdoc IAffirmation
    function release(Instruction calldata instruction, address account, bytes calldata signature)
        external
        delegated
    {
        Plan memory plan = Plans.blank()[0];
        _read(plan, instruction);
        _refuseIfAny(plan);
        uint256 mine = _legsOf(plan, account) & plan.reserved;
        if (mine == 0) _refuse(plan, Reasons.RESERVATION, account);
        uint256 index = _indexOf(plan, account);
        if (!Window.over(plan.settleBy)) {
            if (_binding(plan)) _refuse(plan, Reasons.BINDING, account);
            _examineMessage(plan, index, Typed.release(account, plan.id), signature);
            _refuseIfAny(plan);
        }
        // A bit an account, of which there are at most 16.
        // forge-lint: disable-next-line(unsafe-typecast)
        _live[plan.id].released |= uint16(_bit(index));
        _releaseLegs(plan, mine);
        emit ReservationEnded(plan.id, account);
    }

    /// @inheritdoc IAffirmation
    function withdraw(Instruction calldata instruction, address account, bytes calldata signature)
        external
        delegated
    {
        Plan memory plan = Plans.blank()[0];
        _enter(plan, instruction);
        uint256 index = _indexOf(plan, account);
        // The initiator has `cancel`.
        if (index == plan.accounts.length || account == _initiator(plan)) {
            _refuse(plan, Reasons.NOT_A_PARTY, account);
        }
        if (_allConsented(plan)) _refuse(plan, Reasons.IRREVOCABLE, account);
        if (_withdrawn[account][plan.id]) _refuse(plan, Reasons.WITHDRAWN, account);
        if (!_agrees(account, Typed.withdrawal(account, plan.id), signature)) {
            _refuse(plan, Reasons.BAD_SIGNATURE, account);
        }

        _withdrawn[account][plan.id] = true;
        _accounts[account].withdrawals += 1;
        // A bit an account, of which there are at most 16.
        // forge-lint: disable-next-line(unsafe-typecast)
        uint16 consents = uint16(plan.consents & ~_bit(index));
        if (plan.isLive) {
            _live[plan.id].consents = consents;
            _releaseLegs(plan, _legsOf(plan, account) & plan.reserved);
        }
        emit ConsentWithdrawn(plan.id, account, consents);
    }

    /// @inheritdoc IAffirmation
    function cancel(Instruction calldata instruction, uint64 validBy, bytes[] calldata signatures)
        external
        delegated
    {
        Plan memory plan = Plans.blank()[0];
        _enter(plan, instruction);
        uint256 count = plan.accounts.length;
        if (Window.over(validBy)) {
            plan.add(Reasons.MESSAGE_OVER, 0, uint160(msg.sender), validBy, block.timestamp);
        }
        bool byAll = signatures.length == count;
        if (byAll) {
            for (uint256 k = 0; k < count; ++k) {
                _examineCancellation(plan, k, validBy, signatures[k]);
            }
        } else if (signatures.length != 1) {
            plan.add(Reasons.SIGNATURES, 0, plan.initiator, count, signatures.length);
        } else if (_allConsented(plan)) {
            plan.add(Reasons.IRREVOCABLE, 0, plan.initiator, 0, 0);
        } else {
            uint256 initiator = plan.accounts.indexOf(plan.initiator);
            _examineCancellation(plan, initiator, validBy, signatures[0]);
        }
        _refuseIfAny(plan);

        _endNonce(plan, NonceBits.CANCELLED);
        // forge-lint: disable-next-line(unsafe-typecast)
        emit InstructionCancelled(plan.id, _initiator(plan), uint64(plan.nonce), byAll);
    }

    function _examineCancellation(
        Plan memory plan,
        uint256 k,
        uint64 validBy,
        bytes calldata signature
    ) private view {
        address account = _address(plan.accounts[k]);
        if (_agrees(account, Typed.cancellation(account, plan.id, validBy), signature)) return;
        plan.add(Reasons.BAD_SIGNATURE, k, uint160(account), 0, 0);
    }

    function _releaseLegs(Plan memory plan, uint256 legs) private {
        _storeLegBits(plan, plan.reserved & ~legs, plan.committed & ~legs);
        _unholdLegs(plan, legs, false);
    }

    // ------------------------------------------------------------------------------------------ gates and facts

    /// @dev What every act on an instruction asks first: well-formed terms, a nonce that is open or live for
    /// this id, and a window that is not over.
    function _enter(Plan memory plan, Instruction calldata instruction) private view {
        _read(plan, instruction);
        if (plan.none() && plan.status != NonceBits.OPEN) _examineNonce(plan);
        if (plan.none() && Window.over(plan.settleBy)) _findLapse(plan);
        _refuseIfAny(plan);
    }

    /// @dev Who comes in must be admitted and must not have withdrawn from this id.
    function _examineEntry(Plan memory plan, uint256 index) private view {
        address account = _address(plan.accounts[index]);
        _examineStanding(plan, index, account);
        if (_withdrawn[account][plan.id]) {
            plan.add(Reasons.WITHDRAWN, index, plan.accounts[index], 0, 0);
        }
    }

    /// @dev A signed message about a reservation serves until the account ended one; its own call always.
    function _examineMessage(
        Plan memory plan,
        uint256 index,
        bytes32 message,
        bytes calldata signature
    ) private view {
        address account = _address(plan.accounts[index]);
        if (signature.length != 0 && plan.released & _bit(index) != 0) {
            plan.add(Reasons.MESSAGE_USED, index, plan.accounts[index], 0, 0);
        }
        if (!_agrees(account, message, signature)) {
            plan.add(Reasons.BAD_SIGNATURE, index, plan.accounts[index], 0, 0);
        }
    }

    /// @dev The moment of irrevocability: every account's consent is on chain.
    function _allConsented(Plan memory plan) private pure returns (bool) {
        return plan.consents == (1 << plan.accounts.length) - 1;
    }

    /// @dev Committed reservations bind when all consents are on chain and every leg is held committed.
    function _binding(Plan memory plan) private pure returns (bool) {
        return _allConsented(plan) && plan.committed == (1 << plan.legs.length) - 1;
    }

    /// @dev A bit per leg that the account delivers.
    function _legsOf(Plan memory plan, address account) private pure returns (uint256 legs) {
        for (uint256 k = 0; k < plan.legs.length; ++k) {
            if (plan.legs[k].deliverer == uint160(account)) legs |= 1 << k;
        }
    }

    function _indexOf(Plan memory plan, address account) private pure returns (uint256) {
        return plan.accounts.indexOf(uint160(account));
    }

    function _refuse(Plan memory plan, bytes4 code, address who) private pure {
        revert IAffirmation.Refused(
            plan.id, Reason({code: code, leg: 0, who: who, needed: 0, have: 0})
        );
    }
}
