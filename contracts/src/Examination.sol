// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAffirmation} from "./interfaces/IAffirmation.sol";
import {
    Account,
    AssetClass,
    Hold,
    Instruction,
    MAX_LEGS,
    Reason,
    Standing
} from "./interfaces/Types.sol";
import {Books} from "./Books.sol";
import {HoldingWord} from "./libraries/HoldingWord.sol";
import {InstructionTerms} from "./libraries/InstructionTerms.sol";
import {NonceBits} from "./libraries/NonceBits.sol";
import {LegWords, Plan} from "./libraries/Plan.sol";
import {Reasons} from "./libraries/Reasons.sol";
import {Signatures} from "./libraries/Signatures.sol";
import {Typed} from "./libraries/Typed.sol";
import {Window} from "./libraries/Window.sol";

/// @title What stands between an instruction and its settlement
/// @dev One examination serves `whyNot`, `settle` and `settleMany`: it reads everything once, collects the
/// reasons, and works out the holdings after each leg, so that applying them cannot fail. Law L6 holds by
/// shape.
/// @dev An id has storage if and only if its nonce is live, and nobody but the initiator makes it so.
abstract contract Examination is Books {
    using HoldingWord for uint256;
    using NonceBits for NonceBits.Space;
    using Reasons for Plan;

    /// @dev What is on chain about a live instruction, one word. Bits by account (order of first
    /// appearance) or by leg.
    /// @param released accounts that ended a reservation: their signed messages serve no second time
    struct Live {
        uint16 consents;
        uint8 reserved;
        uint8 committed;
        uint16 released;
    }

    mapping(bytes32 id => Live) internal _live;
    mapping(address account => mapping(bytes32 id => bool)) internal _withdrawn;

    // ------------------------------------------------------------------------------------------ whole

    /// @dev Walks every gate in the order of precedence. Signatures come before values: every outside call
    /// is over before a holding is read.
    function _examine(Instruction calldata instruction, bytes[] calldata signatures)
        internal
        view
        returns (Plan memory plan)
    {
        _read(instruction, plan);
        if (!plan.none()) return plan;
        _examineNonce(plan);
        if (!Window.begun(plan.settleFrom)) {
            plan.add(Reasons.FUTURE, 0, plan.initiator, plan.settleFrom, block.timestamp);
        }
        _examineLapse(plan);
        _examineAccounts(plan, signatures);
        _examineLegs(plan);
    }

    /// @dev What every act on an instruction asks first: well-formed terms, a nonce that is open or live for
    /// this id, and a window that is not over.
    function _enter(Instruction calldata instruction) internal view returns (Plan memory plan) {
        _read(instruction, plan);
        if (plan.none()) _examineNonce(plan);
        if (plan.none()) _examineLapse(plan);
        _refuseIfAny(plan);
    }

    /// @dev Reads the terms and what is on chain about them, once. Terms with too many legs have no id.
    function _read(Instruction calldata instruction, Plan memory plan) internal view {
        uint256 count = instruction.legs.length;
        if (!InstructionTerms.mayCount(count)) {
            plan.add(Reasons.LEGS, 0, uint160(instruction.initiator), MAX_LEGS, count);
            return;
        }
        plan.id = _hashTypedDataV4(Typed.load(instruction, plan));
        InstructionTerms.check(plan);
        if (!plan.none()) return;
        plan.status = _nonces[_initiator(plan)].get(plan.nonce);
        if (plan.status == NonceBits.LIVE) {
            Live memory live = _live[plan.id];
            // The initiator's consent is there as long as the instruction is live.
            plan.isLive = live.consents != 0;
            plan.consents = live.consents;
            plan.reserved = live.reserved;
            plan.committed = live.committed;
            plan.released = live.released;
        }
    }

    // ------------------------------------------------------------------------------------------ gates

    function _examineNonce(Plan memory plan) private pure {
        if (plan.status == NonceBits.OPEN || plan.isLive) return;
        bytes4 code = plan.status == NonceBits.SETTLED
            ? Reasons.SETTLED
            : plan.status == NonceBits.CANCELLED ? Reasons.CANCELLED : Reasons.OCCUPIED;
        plan.add(code, 0, plan.initiator, 0, plan.nonce);
    }

    function _examineLapse(Plan memory plan) private view {
        uint256 settleBy = plan.settleBy;
        if (!Window.over(settleBy)) return;
        plan.add(Reasons.LAPSED, 0, plan.initiator, settleBy, block.timestamp);
    }

    /// @dev Account by account: standing, consent, withdrawal, freeze.
    function _examineAccounts(Plan memory plan, bytes[] calldata signatures) private view {
        uint256[] memory accounts = plan.accounts;
        bool brought = signatures.length == accounts.length;
        if (!brought && signatures.length != 0) {
            plan.add(Reasons.SIGNATURES, 0, plan.initiator, accounts.length, signatures.length);
        }
        // Bound: at most two accounts a leg.
        for (uint256 k = 0; k < accounts.length; ++k) {
            address account = _address(accounts[k]);
            Account storage word = _accounts[account];
            // One word, read once: what follows may ask a wallet, after which it would be read again.
            (Standing standing, bool frozen, uint64 withdrawals) =
                (word.standing, word.frozen, word.withdrawals);
            if (standing != Standing.Admitted) _findStanding(plan, k, standing);
            if (brought && signatures[k].length != 0) {
                if (!Signatures.binds(plan.id, account, signatures[k])) {
                    plan.add(Reasons.BAD_SIGNATURE, k, accounts[k], 0, 0);
                }
            } else if (plan.consents & _bit(k) == 0) {
                plan.add(Reasons.NO_CONSENT, k, accounts[k], 0, 0);
            }
            if (withdrawals != 0 && _withdrawn[account][plan.id]) {
                plan.add(Reasons.WITHDRAWN, k, accounts[k], 0, 0);
            }
            if (frozen && plan.deliverers & (1 << k) != 0) {
                plan.add(Reasons.ACCOUNT_FROZEN, k, accounts[k], 0, 0);
            }
        }
    }

    /// @dev Works out the holdings after each leg, in order, from those that earlier legs left. A leg that is
    /// not covered is told and left out of what follows.
    function _examineLegs(Plan memory plan) private view {
        LegWords[] memory legs = plan.legs;
        // Bounds: two keys a leg, at most MAX_LEGS legs; each subtraction is covered by the line above it,
        // and what a leg adds stays within the asset's supply.
        unchecked {
            uint256[] memory keys = new uint256[](2 * legs.length);
            uint256[] memory next = new uint256[](2 * legs.length);
            for (uint256 k = 0; k < legs.length; ++k) {
                LegWords memory leg = legs[k];
                if (!_isOpen(leg.asset)) _findAsset(plan, k, leg.asset);
                uint256 from = _keyOf(leg.deliverer, leg.asset);
                uint256 to = _keyOf(leg.receiver, leg.asset);
                uint256 deliverer = _before(plan, keys, next, 2 * k, from);
                uint256 receiver = _before(plan, keys, next, 2 * k, to);
                if (deliverer.available() < leg.quantity) {
                    _findLack(plan, k, leg, deliverer.available());
                } else {
                    deliverer -= leg.quantity;
                    receiver += leg.quantity;
                }
                (keys[2 * k], next[2 * k]) = (from, deliverer);
                (keys[2 * k + 1], next[2 * k + 1]) = (to, receiver);
            }
            plan.keys = keys;
            plan.next = next;
        }
    }

    /// @dev The holding as a leg finds it: what the last earlier leg that touches it left, or what the books
    /// hold with all that this instruction reserved made available.
    function _before(
        Plan memory plan,
        uint256[] memory keys,
        uint256[] memory next,
        uint256 known,
        uint256 key
    ) private view returns (uint256 holding) {
        unchecked {
            while (known > 0) {
                if (keys[--known] == key) return next[known];
            }
        }
        holding = _holdings[key];
        if (plan.reserved == 0) return holding;
        for (uint256 j = 0; j < plan.legs.length; ++j) {
            if (plan.reserved & (1 << j) == 0) continue;
            LegWords memory leg = plan.legs[j];
            if (_keyOf(leg.deliverer, leg.asset) == key) holding = holding.unhold(leg.quantity);
        }
    }

    // ------------------------------------------------------------------------------------------ findings

    function _findStanding(Plan memory plan, uint256 index, Standing standing) private pure {
        bytes4 code = standing == Standing.Unknown ? Reasons.NOT_ADMITTED : Reasons.SUSPENDED;
        plan.add(code, index, plan.accounts[index], 0, 0);
    }

    function _findAsset(Plan memory plan, uint256 k, uint256 word) internal view {
        // forge-lint: disable-next-line(unsafe-typecast)
        uint32 asset = uint32(word);
        bytes4 code =
            _assets[asset].class == AssetClass.None ? Reasons.ASSET_UNKNOWN : Reasons.ASSET_FROZEN;
        plan.add(code, k, uint160(_assets[asset].issuer), asset, 0);
    }

    function _findLack(Plan memory plan, uint256 k, LegWords memory leg, uint256 have)
        internal
        view
    {
        // forge-lint: disable-next-line(unsafe-typecast)
        AssetClass class = _assets[uint32(leg.asset)].class;
        bool isCash = class >= AssetClass.CentralBankMoney && class <= AssetClass.EMoney;
        bytes4 code = isCash ? Reasons.LACK_CASH : Reasons.LACK_SECURITIES;
        plan.add(code, k, leg.deliverer, leg.quantity, have);
    }

    /// @dev Who comes in must be admitted and must not have withdrawn from this id.
    function _examineEntry(Plan memory plan, uint256 index) internal view {
        address account = _address(plan.accounts[index]);
        Standing standing = _accounts[account].standing;
        if (standing != Standing.Admitted) _findStanding(plan, index, standing);
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
    ) internal view {
        address account = _address(plan.accounts[index]);
        if (signature.length != 0 && plan.released & _bit(index) != 0) {
            plan.add(Reasons.MESSAGE_USED, index, plan.accounts[index], 0, 0);
        }
        if (!_agrees(account, message, signature)) {
            plan.add(Reasons.BAD_SIGNATURE, index, plan.accounts[index], 0, 0);
        }
    }

    // ------------------------------------------------------------------------------------------ ends

    /// @dev The one way to the end: the nonce becomes final, reservations end, the live word is cleared.
    function _endNonce(Plan memory plan, uint256 end) internal {
        NonceBits.Space storage space = _nonces[_initiator(plan)];
        if (!plan.isLive) {
            space.move(plan.nonce, NonceBits.OPEN, end);
            return;
        }
        space.move(plan.nonce, NonceBits.LIVE, end);
        delete _live[plan.id];
        _unholdLegs(plan, plan.reserved, end == NonceBits.SETTLED);
    }

    function _unholdLegs(Plan memory plan, uint8 legs, bool executed) internal {
        for (uint256 k = 0; k < plan.legs.length; ++k) {
            if (legs & (1 << k) != 0) _unhold(_holdOf(plan, k), executed);
        }
    }

    // ------------------------------------------------------------------------------------------ facts

    /// @dev A signature over the message, or, where none is brought, the account's own call.
    function _agrees(address account, bytes32 message, bytes calldata signature)
        internal
        view
        returns (bool)
    {
        if (signature.length == 0) return msg.sender == account;
        return Signatures.binds(_hashTypedDataV4(message), account, signature);
    }

    /// @dev The moment of irrevocability: every account's consent is on chain.
    function _allConsented(Plan memory plan) internal pure returns (bool) {
        return plan.consents == (1 << plan.accounts.length) - 1;
    }

    /// @dev Committed reservations bind when all consents are on chain and every leg is held committed.
    function _binding(Plan memory plan) internal pure returns (bool) {
        return _allConsented(plan) && plan.committed == (1 << plan.legs.length) - 1;
    }

    /// @dev A bit per leg that the account delivers.
    function _legsOf(Plan memory plan, address account) internal pure returns (uint8 legs) {
        for (uint256 k = 0; k < plan.legs.length; ++k) {
            // forge-lint: disable-next-line(unsafe-typecast)
            if (plan.legs[k].deliverer == uint160(account)) legs |= uint8(1 << k);
        }
    }

    function _holdOf(Plan memory plan, uint256 k) internal view returns (Hold memory) {
        LegWords memory leg = plan.legs[k];
        // Words that were checked to be clean, and an index below MAX_LEGS.
        // forge-lint: disable-start(unsafe-typecast)
        return Hold({
            module: address(this),
            purpose: plan.id,
            index: uint8(k),
            account: _address(leg.deliverer),
            asset: uint32(leg.asset),
            quantity: uint128(leg.quantity),
            deadline: uint64(plan.settleBy)
        });
        // forge-lint: disable-end(unsafe-typecast)
    }

    function _initiator(Plan memory plan) internal pure returns (address) {
        return _address(plan.initiator);
    }

    /// @dev The account in a word that was checked to be clean.
    function _address(uint256 word) internal pure returns (address) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return address(uint160(word));
    }

    function _indexOf(Plan memory plan, address account) internal pure returns (uint256) {
        return InstructionTerms.indexOf(plan.accounts, uint160(account));
    }

    function _bit(uint256 index) internal pure returns (uint16) {
        // At most 2 * MAX_LEGS = 16 accounts.
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint16(1 << index);
    }

    function _refuseIfAny(Plan memory plan) internal pure {
        if (!plan.none()) revert IAffirmation.Refused(plan.id, plan.found[0]);
    }

    function _refuse(Plan memory plan, bytes4 code, address who) internal pure {
        revert IAffirmation.Refused(
            plan.id, Reason({code: code, leg: 0, who: who, needed: 0, have: 0})
        );
    }
}
