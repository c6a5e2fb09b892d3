// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAffirmation} from "./interfaces/IAffirmation.sol";
import {
    Account,
    AssetClass,
    Hold,
    Holding,
    Instruction,
    Leg,
    MAX_LEGS,
    Reason,
    Standing
} from "./interfaces/Types.sol";
import {Books} from "./Books.sol";
import {InstructionTerms} from "./libraries/InstructionTerms.sol";
import {NonceBits} from "./libraries/NonceBits.sol";
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
    using InstructionTerms for address[];
    using NonceBits for NonceBits.Space;
    using Reasons for Reason[];

    /// @dev What is on chain about a live instruction, one word. Bits by account (order of first
    /// appearance) or by leg.
    /// @param released accounts that ended a reservation: their signed messages serve no second time
    struct Live {
        uint16 consents;
        uint8 reserved;
        uint8 committed;
        uint16 released;
    }

    /// @dev What an examination finds out on the way.
    /// @param nonce bits of the nonce; `isLive` says that this id is the live one
    /// @param deliverers a bit per account that delivers
    /// @param next two words a leg: holding of the deliverer and of the receiver after it
    struct Plan {
        bytes32 id;
        address[] accounts;
        uint256 deliverers;
        uint8 nonce;
        bool isLive;
        Live live;
        Holding[] next;
    }

    mapping(bytes32 id => Live) internal _live;
    mapping(address account => mapping(bytes32 id => bool)) internal _withdrawn;

    // ------------------------------------------------------------------------------------------ whole

    /// @dev Walks every gate in the order of precedence. Signatures come before values: every outside call
    /// is over before a holding is read.
    function _examine(Instruction calldata instruction, bytes[] calldata signatures)
        internal
        view
        returns (Reason[] memory reasons, Plan memory plan)
    {
        (reasons, plan) = _read(instruction);
        if (reasons.length != 0) return (reasons, plan);
        reasons = _examineNonce(reasons, instruction, plan);
        if (!Window.begun(instruction.settleFrom)) {
            reasons = reasons.with(
                Reasons.FUTURE, 0, instruction.initiator, instruction.settleFrom, block.timestamp
            );
        }
        reasons = _examineLapse(reasons, instruction);
        reasons = _examineAccounts(reasons, instruction, plan, signatures);
        reasons = _examineLegs(reasons, instruction, plan);
    }

    /// @dev What every act on an instruction asks first: well-formed terms, a nonce that is open or live for
    /// this id, and a window that is not over.
    function _enter(Instruction calldata instruction) internal view returns (Plan memory plan) {
        Reason[] memory reasons;
        (reasons, plan) = _read(instruction);
        if (reasons.length == 0) reasons = _examineNonce(reasons, instruction, plan);
        if (reasons.length == 0) reasons = _examineLapse(reasons, instruction);
        _refuseIf(plan.id, reasons);
    }

    /// @dev Reads what is on chain about the instruction, once.
    function _read(Instruction calldata instruction)
        internal
        view
        returns (Reason[] memory reasons, Plan memory plan)
    {
        reasons = InstructionTerms.check(instruction);
        // An id is hashed of a bounded number of legs only.
        if (instruction.legs.length <= MAX_LEGS) plan.id = _idOf(instruction);
        if (reasons.length != 0) return (reasons, plan);
        (plan.accounts, plan.deliverers) = InstructionTerms.parties(instruction.legs);
        plan.nonce = _nonces[instruction.initiator].get(instruction.nonce);
        if (plan.nonce == NonceBits.LIVE) {
            plan.live = _live[plan.id];
            // The initiator's consent is there as long as the instruction is live.
            plan.isLive = plan.live.consents != 0;
        }
    }

    // ------------------------------------------------------------------------------------------ gates

    function _examineNonce(
        Reason[] memory reasons,
        Instruction calldata instruction,
        Plan memory plan
    ) private pure returns (Reason[] memory) {
        if (plan.nonce == NonceBits.OPEN || plan.isLive) {
            return reasons;
        }
        bytes4 code = plan.nonce == NonceBits.SETTLED
            ? Reasons.SETTLED
            : plan.nonce == NonceBits.CANCELLED ? Reasons.CANCELLED : Reasons.OCCUPIED;
        return reasons.with(code, 0, instruction.initiator, 0, instruction.nonce);
    }

    function _examineLapse(Reason[] memory reasons, Instruction calldata instruction)
        private
        view
        returns (Reason[] memory)
    {
        if (!Window.over(instruction.settleBy)) return reasons;
        return reasons.with(
            Reasons.LAPSED, 0, instruction.initiator, instruction.settleBy, block.timestamp
        );
    }

    /// @dev Account by account: standing, consent, withdrawal, freeze.
    function _examineAccounts(
        Reason[] memory reasons,
        Instruction calldata instruction,
        Plan memory plan,
        bytes[] calldata signatures
    ) private view returns (Reason[] memory) {
        uint256 count = plan.accounts.length;
        bool brought = signatures.length == count;
        if (!brought && signatures.length != 0) {
            reasons = reasons.with(
                Reasons.SIGNATURES, 0, instruction.initiator, count, signatures.length
            );
        }
        // Bound: at most two accounts a leg.
        for (uint256 k = 0; k < count; ++k) {
            address account = plan.accounts[k];
            Account memory word = _accounts[account];
            reasons = _examineStanding(reasons, k, account, word.standing);
            if (brought && signatures[k].length != 0) {
                if (!Signatures.binds(plan.id, account, signatures[k])) {
                    reasons = reasons.with(Reasons.BAD_SIGNATURE, k, account, 0, 0);
                }
            } else if (plan.live.consents & _bit(k) == 0) {
                reasons = reasons.with(Reasons.NO_CONSENT, k, account, 0, 0);
            }
            if (word.withdrawals != 0 && _withdrawn[account][plan.id]) {
                reasons = reasons.with(Reasons.WITHDRAWN, k, account, 0, 0);
            }
            if (word.frozen && plan.deliverers & (1 << k) != 0) {
                reasons = reasons.with(Reasons.ACCOUNT_FROZEN, k, account, 0, 0);
            }
        }
        return reasons;
    }

    /// @dev Works out the holdings after each leg, in order, from those that earlier legs left. A leg that is
    /// not covered is told and left out of what follows.
    function _examineLegs(
        Reason[] memory reasons,
        Instruction calldata instruction,
        Plan memory plan
    ) private view returns (Reason[] memory) {
        uint256 count = instruction.legs.length;
        plan.next = new Holding[](2 * count);
        for (uint256 k = 0; k < count; ++k) {
            Leg calldata leg = instruction.legs[k];
            if (!_isOpen(leg.asset)) reasons = _examineAsset(reasons, k, leg.asset);
            Holding memory deliverer = _before(instruction, plan, k, leg.deliverer);
            Holding memory receiver = _before(instruction, plan, k, leg.receiver);
            if (deliverer.available < leg.quantity) {
                reasons = _lack(reasons, k, leg, deliverer.available);
            } else {
                deliverer.available -= leg.quantity;
                receiver.available += leg.quantity;
            }
            plan.next[2 * k] = deliverer;
            plan.next[2 * k + 1] = receiver;
        }
        return reasons;
    }

    /// @dev The holding as leg k finds it: what the last earlier leg that touches it left, or what the books
    /// hold with all that this instruction reserved made available. Always a copy.
    function _before(Instruction calldata instruction, Plan memory plan, uint256 k, address account)
        private
        view
        returns (Holding memory holding)
    {
        uint32 asset = instruction.legs[k].asset;
        for (uint256 j = k; j > 0;) {
            --j;
            Leg calldata earlier = instruction.legs[j];
            if (earlier.asset != asset) continue;
            Holding memory left;
            if (earlier.deliverer == account) left = plan.next[2 * j];
            else if (earlier.receiver == account) left = plan.next[2 * j + 1];
            else continue;
            return Holding({available: left.available, held: left.held});
        }
        holding = _holdings[_key(account, asset)];
        if (plan.live.reserved == 0) return holding;
        for (uint256 j = 0; j < instruction.legs.length; ++j) {
            Leg calldata leg = instruction.legs[j];
            if (
                plan.live.reserved & (1 << j) != 0 && leg.deliverer == account && leg.asset == asset
            ) {
                holding.available += leg.quantity;
                holding.held -= leg.quantity;
            }
        }
    }

    function _examineStanding(
        Reason[] memory reasons,
        uint256 index,
        address account,
        Standing standing
    ) private pure returns (Reason[] memory) {
        if (standing == Standing.Admitted) return reasons;
        bytes4 code = standing == Standing.Unknown ? Reasons.NOT_ADMITTED : Reasons.SUSPENDED;
        return reasons.with(code, index, account, 0, 0);
    }

    function _examineAsset(Reason[] memory reasons, uint256 leg, uint32 asset)
        internal
        view
        returns (Reason[] memory)
    {
        bytes4 code = _assets[asset].class == AssetClass.None
            ? Reasons.ASSET_UNKNOWN
            : Reasons.ASSET_FROZEN;
        return reasons.with(code, leg, _assets[asset].issuer, asset, 0);
    }

    function _lack(Reason[] memory reasons, uint256 k, Leg calldata leg, uint256 have)
        internal
        view
        returns (Reason[] memory)
    {
        AssetClass class = _assets[leg.asset].class;
        bool isCash = class >= AssetClass.CentralBankMoney && class <= AssetClass.EMoney;
        bytes4 code = isCash ? Reasons.LACK_CASH : Reasons.LACK_SECURITIES;
        return reasons.with(code, k, leg.deliverer, leg.quantity, have);
    }

    /// @dev Who comes in must be admitted and must not have withdrawn from this id.
    function _examineEntry(Reason[] memory reasons, bytes32 id, uint256 index, address account)
        internal
        view
        returns (Reason[] memory)
    {
        reasons = _examineStanding(reasons, index, account, _accounts[account].standing);
        if (_withdrawn[account][id]) {
            reasons = reasons.with(Reasons.WITHDRAWN, index, account, 0, 0);
        }
        return reasons;
    }

    /// @dev A signed message about a reservation serves until the account ended one; its own call always.
    function _examineMessage(
        Reason[] memory reasons,
        Plan memory plan,
        uint256 index,
        address account,
        bytes32 message,
        bytes calldata signature
    ) internal view returns (Reason[] memory) {
        if (signature.length != 0 && plan.live.released & _bit(index) != 0) {
            reasons = reasons.with(Reasons.MESSAGE_USED, index, account, 0, 0);
        }
        if (!_agrees(account, message, signature)) {
            reasons = reasons.with(Reasons.BAD_SIGNATURE, index, account, 0, 0);
        }
        return reasons;
    }

    // ------------------------------------------------------------------------------------------ ends

    /// @dev The one way to the end: the nonce becomes final, reservations end, the live word is cleared.
    function _endNonce(Instruction calldata instruction, Plan memory plan, uint8 end) internal {
        NonceBits.Space storage space = _nonces[instruction.initiator];
        if (!plan.isLive) {
            space.move(instruction.nonce, NonceBits.OPEN, end);
            return;
        }
        space.move(instruction.nonce, NonceBits.LIVE, end);
        delete _live[plan.id];
        _unholdLegs(instruction, plan.id, plan.live.reserved, end == NonceBits.SETTLED);
    }

    function _unholdLegs(Instruction calldata instruction, bytes32 id, uint8 legs, bool executed)
        internal
    {
        for (uint256 k = 0; k < instruction.legs.length; ++k) {
            if (legs & (1 << k) != 0) _unhold(_holdOf(instruction, id, k), executed);
        }
    }

    // ------------------------------------------------------------------------------------------ facts

    function _idOf(Instruction calldata instruction) internal view returns (bytes32) {
        return _hashTypedDataV4(Typed.hash(instruction));
    }

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
        return plan.live.consents == (1 << plan.accounts.length) - 1;
    }

    /// @dev Committed reservations bind when all consents are on chain and every leg is held committed.
    function _binding(Instruction calldata instruction, Plan memory plan)
        internal
        pure
        returns (bool)
    {
        return _allConsented(plan) && plan.live.committed == (1 << instruction.legs.length) - 1;
    }

    function _legsOf(Instruction calldata instruction, address deliverer)
        internal
        pure
        returns (uint8 legs)
    {
        for (uint256 k = 0; k < instruction.legs.length; ++k) {
            // forge-lint: disable-next-line(unsafe-typecast)
            if (instruction.legs[k].deliverer == deliverer) legs |= uint8(1 << k);
        }
    }

    function _holdOf(Instruction calldata instruction, bytes32 id, uint256 k)
        internal
        view
        returns (Hold memory)
    {
        Leg calldata leg = instruction.legs[k];
        return Hold({
            module: address(this),
            purpose: id,
            // forge-lint: disable-next-line(unsafe-typecast)
            index: uint8(k),
            account: leg.deliverer,
            asset: leg.asset,
            quantity: leg.quantity,
            deadline: instruction.settleBy
        });
    }

    function _bit(uint256 index) internal pure returns (uint16) {
        // At most 2 * MAX_LEGS = 16 accounts.
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint16(1 << index);
    }

    function _refuseIf(bytes32 id, Reason[] memory reasons) internal pure {
        if (reasons.length != 0) revert IAffirmation.Refused(id, reasons[0]);
    }

    function _refuse(bytes32 id, bytes4 code, address who) internal pure {
        revert IAffirmation.Refused(id, Reason({code: code, leg: 0, who: who, needed: 0, have: 0}));
    }
}
