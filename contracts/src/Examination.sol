// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAffirmation} from "./interfaces/IAffirmation.sol";
import {
    Account,
    AssetClass,
    Hold,
    Instruction,
    Leg,
    MAX_LEGS,
    Reason,
    Standing
} from "./interfaces/Types.sol";
import {Books} from "./Books.sol";
import {AccountList} from "./libraries/AccountList.sol";
import {HoldingWord} from "./libraries/HoldingWord.sol";
import {InstructionTerms} from "./libraries/InstructionTerms.sol";
import {NonceBits} from "./libraries/NonceBits.sol";
import {LEG_SIZE, LegWords, Plan} from "./libraries/Plan.sol";
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
    using AccountList for uint256[];
    using HoldingWord for uint256;
    using NonceBits for NonceBits.Space;
    using Reasons for Plan;

    /// @dev The class within the word of Account (behind standing and freeze, a byte each): all that settlement
    /// does not ask for.
    uint256 internal constant ACCOUNT_CLASS = 0xff << 16;

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

    /// @dev Instructions that settled and whose terms ask for this record, by id.
    mapping(bytes32 id => bool) internal _recorded;

    /// @dev What is on chain about an escrow, one word, never cleared.
    /// @param outcomes three bits a milestone: Outcome, and whether its payments wait
    /// @param disputed a bit a milestone
    /// @param withdrawn a signer took its signature back before the opening
    struct EscrowState {
        uint64 openedAt;
        uint32 outcomes;
        uint8 disputed;
        bool withdrawn;
    }

    mapping(bytes32 id => EscrowState) internal _escrows;
    /// @dev When each milestone was disputed, seconds since the opening, 32 bits each.
    mapping(bytes32 id => uint256) internal _disputes;
    /// @dev Of payments that wait: the upper 224 bits of their hash, and when the outcome was fixed, 32 bits,
    /// in seconds since the opening.
    mapping(bytes32 id => mapping(uint256 milestone => uint256)) internal _waiting;

    // ------------------------------------------------------------------------------------------ whole

    /// @dev Walks every gate in the order of precedence. Signatures come before values: every outside call
    /// is over before a holding is read.
    function _examine(
        Plan memory plan,
        Instruction calldata instruction,
        bytes[] calldata signatures
    ) internal view {
        _read(plan, instruction);
        if (!plan.none()) return;
        if (plan.status != NonceBits.OPEN) _examineNonce(plan);
        if (!Window.begun(plan.settleFrom)) {
            plan.add(Reasons.FUTURE, 0, plan.initiator, plan.settleFrom, block.timestamp);
        }
        if (Window.over(plan.settleBy)) _findLapse(plan);
        _examineAccounts(plan, signatures);
        _examineLegs(plan);
    }

    /// @dev Reads the terms and what is on chain about them, once. Terms with too many legs have no id.
    function _read(Plan memory plan, Instruction calldata instruction) internal view {
        Leg[] calldata legs = instruction.legs;
        if (!InstructionTerms.mayCount(legs.length)) {
            plan.add(Reasons.LEGS, 0, uint160(instruction.initiator), MAX_LEGS, legs.length);
            return;
        }
        plan.id = _hashTypedDataV4(Typed.load(plan, instruction, legs));
        InstructionTerms.check(plan);
        if (!plan.none()) return;
        plan.nonceSlot = _nonces[_initiator(plan)].slotOf(plan.nonce);
        plan.status = NonceBits.getAt(plan.nonceSlot, plan.nonce);
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

    /// @dev A nonce that is not open must be live, for this id.
    function _examineNonce(Plan memory plan) internal pure {
        if (plan.isLive) return;
        bytes4 code = plan.status == NonceBits.SETTLED
            ? Reasons.SETTLED
            : plan.status == NonceBits.CANCELLED ? Reasons.CANCELLED : Reasons.OCCUPIED;
        plan.add(code, 0, plan.initiator, 0, plan.nonce);
    }

    /// @dev Account by account: standing, consent, withdrawal, freeze.
    function _examineAccounts(Plan memory plan, bytes[] calldata signatures) private view {
        uint256[] memory accounts = plan.accounts;
        uint256 count = accounts.length;
        bool brought = signatures.length == count;
        if (!brought && signatures.length != 0) {
            plan.add(Reasons.SIGNATURES, 0, plan.initiator, count, signatures.length);
        }
        // Bound: at most two accounts a leg.
        for (uint256 k = 0; k < count; ++k) {
            uint256 word = accounts.get(k);
            address account = _address(word);
            // The plain account, admitted and with nothing against it, is told by one look at its one word; only
            // another is taken apart.
            bool plain = _accountWord(word) & ~ACCOUNT_CLASS == uint256(Standing.Admitted);
            if (!plain) _examineStanding(plan, k, account);
            bytes calldata signature = brought ? signatures[k] : msg.data[:0];
            if (signature.length == 0) {
                if (plan.consents & _bit(k) == 0) {
                    plan.add(Reasons.NO_CONSENT, k, uint160(account), 0, 0);
                }
            } else if (!Signatures.binds(plan.id, account, signature)) {
                plan.add(Reasons.BAD_SIGNATURE, k, uint160(account), 0, 0);
            }
            if (!plain) _examineBars(plan, k, account);
        }
    }

    function _examineStanding(Plan memory plan, uint256 index, address account) internal view {
        Standing standing = _accounts[account].standing;
        if (standing == Standing.Admitted) return;
        bytes4 code = standing == Standing.Unknown ? Reasons.NOT_ADMITTED : Reasons.SUSPENDED;
        plan.add(code, index, uint160(account), 0, 0);
    }

    /// @dev What keeps an account from delivering or from this id, consent or not.
    function _examineBars(Plan memory plan, uint256 k, address account) private view {
        Account storage entry = _accounts[account];
        if (entry.withdrawals != 0 && _withdrawn[account][plan.id]) {
            plan.add(Reasons.WITHDRAWN, k, uint160(account), 0, 0);
        }
        if (entry.frozen && plan.deliverers & _bit(k) != 0) {
            plan.add(Reasons.ACCOUNT_FROZEN, k, uint160(account), 0, 0);
        }
    }

    /// @dev Works out the holdings after each leg, in order, from those that earlier legs left. A leg that is
    /// not covered is told and left out of what follows.
    function _examineLegs(Plan memory plan) private view {
        LegWords memory leg = plan.firstLeg;
        uint256 count = plan.legs.length;
        // The word of open assets that was read last, and which one it is: a trade's assets often share one.
        uint256 page = type(uint256).max;
        uint256 open = 0;
        // Bounds: at most MAX_LEGS legs; each subtraction is covered by the line above it, and what a leg adds
        // stays within the asset's supply.
        unchecked {
            for (uint256 k = 0; k < count; ++k) {
                if (leg.asset >> 8 != page) {
                    page = leg.asset >> 8;
                    open = _openAssets[page];
                }
                if ((open >> (leg.asset & 255)) & 1 == 0) _findAsset(plan, k, leg.asset);
                uint256 from = _slotOf(leg.deliverer, leg.asset);
                uint256 to = _slotOf(leg.receiver, leg.asset);
                uint256 deliverer = _before(plan, leg, k, from);
                uint256 receiver = _before(plan, leg, k, to);
                if (deliverer.available() < leg.quantity) {
                    _findLack(plan, k, leg, deliverer.available());
                } else {
                    deliverer -= leg.quantity;
                    receiver += leg.quantity;
                }
                (leg.delivererSlot, leg.delivererHolding) = (from, deliverer);
                (leg.receiverSlot, leg.receiverHolding) = (to, receiver);
                // The next leg; not read after the last.
                assembly ("memory-safe") {
                    leg := add(leg, LEG_SIZE)
                }
            }
        }
    }

    /// @dev The holding as a leg finds it: what the last earlier leg that touches it left, or what the books
    /// hold with all that this instruction reserved made available.
    /// @param earlier how many legs lie before this one in memory
    function _before(Plan memory plan, LegWords memory leg, uint256 earlier, uint256 slot)
        private
        view
        returns (uint256 holding)
    {
        unchecked {
            // Bound: as many legs lie in front of this one.
            for (; earlier != 0; --earlier) {
                assembly ("memory-safe") {
                    leg := sub(leg, LEG_SIZE)
                }
                if (leg.delivererSlot == slot) return leg.delivererHolding;
                if (leg.receiverSlot == slot) return leg.receiverHolding;
            }
        }
        holding = _holdingAt(slot);
        if (plan.reserved != 0) holding = _withReserved(plan, slot, holding);
    }

    /// @dev The holding in that slot with what this instruction reserved there made available.
    function _withReserved(Plan memory plan, uint256 slot, uint256 holding)
        private
        pure
        returns (uint256)
    {
        for (uint256 k = 0; k < plan.legs.length; ++k) {
            if (plan.reserved & _bit(k) == 0) continue;
            LegWords memory leg = plan.legs[k];
            if (_slotOf(leg.deliverer, leg.asset) == slot) holding = holding.unhold(leg.quantity);
        }
        return holding;
    }

    // ------------------------------------------------------------------------------------------ findings

    function _findLapse(Plan memory plan) internal view {
        plan.add(Reasons.LAPSED, 0, plan.initiator, plan.settleBy, block.timestamp);
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

    // ------------------------------------------------------------------------------------------ ends

    /// @dev The one way to the end: the nonce becomes final, reservations end, the live word is cleared.
    function _endNonce(Plan memory plan, uint256 end) internal {
        if (!plan.isLive) {
            NonceBits.moveAt(plan.nonceSlot, plan.nonce, NonceBits.OPEN, end);
            return;
        }
        NonceBits.moveAt(plan.nonceSlot, plan.nonce, NonceBits.LIVE, end);
        delete _live[plan.id];
        _unholdLegs(plan, plan.reserved, end == NonceBits.SETTLED);
    }

    function _unholdLegs(Plan memory plan, uint256 legs, bool executed) internal {
        for (uint256 k = 0; k < plan.legs.length; ++k) {
            if (legs & _bit(k) != 0) _unhold(_holdOf(plan, k), executed);
        }
    }

    // ------------------------------------------------------------------------------------------ facts

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

    function _bit(uint256 index) internal pure returns (uint256) {
        return 1 << index;
    }

    function _refuseIfAny(Plan memory plan) internal pure {
        if (!plan.none()) revert IAffirmation.Refused(plan.id, plan.found[0]);
    }
}
