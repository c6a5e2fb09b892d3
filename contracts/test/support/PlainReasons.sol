// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    AssetClass,
    Holding,
    Instruction,
    Leg,
    MAX_LEGS,
    Reason,
    Standing
} from "../../src/interfaces/Types.sol";
import {Market} from "./Market.sol";
import {Wallet} from "./Wallet.sol";

/// @notice `whyNot` written a second time, in plain words, from the public reads and the clock alone: no word
/// arithmetic, nothing cached, nothing shared with the contract but the types.
abstract contract PlainReasons is Market {
    Reason[] private _found;

    /// @notice All reasons why the instruction does not settle now, in order.
    function plainReasons(Instruction memory one, bytes[] memory signatures)
        internal
        returns (Reason[] memory)
    {
        delete _found;
        _terms(one);
        if (_found.length == 0) {
            _nonceAndTime(one);
            _accounts(one, signatures);
            _values(one);
        }
        return _found;
    }

    function _add(bytes4 code, uint256 index, address who, uint256 needed, uint256 have) private {
        _found.push(reasonOf(code, uint8(index), who, needed, have));
    }

    function _terms(Instruction memory one) private {
        address by = one.initiator;
        uint256 count = one.legs.length;
        if (count == 0 || count > MAX_LEGS) return _add("XLEG", 0, by, MAX_LEGS, count);
        bool stands = false;
        for (uint256 k = 0; k < count; ++k) {
            Leg memory one_ = one.legs[k];
            if (one_.quantity == 0) _add("XQTY", k, one_.deliverer, 1, 0);
            if (one_.deliverer == one_.receiver) _add("XSLF", k, one_.deliverer, 0, 0);
            if (one_.deliverer == by || one_.receiver == by) stands = true;
        }
        if (!stands) _add("XINI", 0, by, 0, 0);
        if (one.settleBy <= one.settleFrom) _add("XWIN", 0, by, one.settleFrom, one.settleBy);
        if (one.options > 3) _add("XOPT", 0, by, 3, one.options);
        if (one.cycle != 0) _add("XCYC", 0, by, 0, uint256(one.cycle));
        if (one.predecessor != 0) _add("XPRE", 0, by, 0, uint256(one.predecessor));
        uint128 most = one.options % 2 == 1 ? one.legs[0].quantity : 0;
        if (one.minimumLot > most) _add("XLOT", 0, by, most, one.minimumLot);
    }

    function _nonceAndTime(Instruction memory one) private {
        uint8 status = books.nonceStatus(one.initiator, one.nonce);
        (uint16 consents,,,) = books.liveState(books.idOf(one));
        address by = one.initiator;
        if (status == 1) _add("XDON", 0, by, 0, one.nonce);
        if (status == 2) _add("XCAN", 0, by, 0, one.nonce);
        if (status == 3 && consents == 0) _add("XOCC", 0, by, 0, one.nonce);
        uint256 now_ = vm.getBlockTimestamp();
        if (now_ < one.settleFrom) _add("FUTU", 0, by, one.settleFrom, now_);
        if (now_ >= one.settleBy) _add("ADEA", 0, by, one.settleBy, now_);
    }

    function _accounts(Instruction memory one, bytes[] memory signatures) private {
        address[] memory accounts = accountsOf(one);
        bytes32 id = books.idOf(one);
        (uint16 consents,,,) = books.liveState(id);
        uint256 brought = signatures.length;
        if (brought != 0 && brought != accounts.length) {
            _add("XSIG", 0, one.initiator, accounts.length, brought);
        }
        for (uint256 k = 0; k < accounts.length; ++k) {
            address who = accounts[k];
            Standing standing = books.accountOf(who).standing;
            if (standing == Standing.Unknown) _add("XADM", k, who, 0, 0);
            if (standing == Standing.Suspended) _add("XSUS", k, who, 0, 0);
            if (brought == accounts.length && signatures[k].length > 0) {
                if (!isGood(who, id, signatures[k])) _add("XBAD", k, who, 0, 0);
            } else if (consents / 2 ** k % 2 == 0) {
                _add("XCON", k, who, 0, 0);
            }
            if (books.isWithdrawn(who, id)) _add("XWDR", k, who, 0, 0);
            bool delivers = false;
            for (uint256 j = 0; j < one.legs.length; ++j) {
                if (one.legs[j].deliverer == who) delivers = true;
            }
            if (delivers && books.accountOf(who).frozen) _add("BLOC", k, who, 0, 0);
        }
    }

    /// @notice Whether 65 bytes are the signature of a key, or a wallet says yes.
    function isGood(address who, bytes32 digest, bytes memory signature) internal returns (bool) {
        if (who.code.length > 0) {
            return Wallet(who).isValidSignature(digest, signature) == 0x1626ba7e;
        }
        if (signature.length != 65) return false;
        bytes32 r;
        bytes32 s;
        assembly ("memory-safe") {
            r := mload(add(signature, 0x20))
            s := mload(add(signature, 0x40))
        }
        return ecrecover(digest, uint8(signature[64]), r, s) == who;
    }

    function _values(Instruction memory one) private {
        bool[] memory covered = new bool[](one.legs.length);
        for (uint256 k = 0; k < one.legs.length; ++k) {
            Leg memory now_ = one.legs[k];
            AssetClass class = books.assetOf(now_.asset).class;
            address issuer = books.assetOf(now_.asset).issuer;
            if (class == AssetClass.None) _add("XAST", k, issuer, now_.asset, 0);
            if (books.assetOf(now_.asset).frozen) _add("SBLO", k, issuer, now_.asset, 0);
            uint256 have = _availableAt(one, k, covered);
            covered[k] = have >= now_.quantity;
            if (covered[k]) continue;
            bool isCash = class == AssetClass.CentralBankMoney || class == AssetClass.DepositMoney
                || class == AssetClass.EMoney;
            _add(isCash ? bytes4("MONY") : bytes4("LACK"), k, now_.deliverer, now_.quantity, have);
        }
    }

    /// @notice What the deliverer of leg k has for it: available, reserved for this instruction, and what the
    /// covered legs before it brought less what they took.
    function _availableAt(Instruction memory one, uint256 k, bool[] memory covered)
        private
        view
        returns (uint256 have)
    {
        (, uint8 reserved,,) = books.liveState(books.idOf(one));
        address who = one.legs[k].deliverer;
        uint32 asset = one.legs[k].asset;
        have = books.holdingOf(who, asset).available;
        for (uint256 j = 0; j < one.legs.length; ++j) {
            Leg memory other = one.legs[j];
            if (other.asset != asset) continue;
            if (other.deliverer == who && reserved / 2 ** j % 2 == 1) have += other.quantity;
        }
        for (uint256 j = 0; j < k; ++j) {
            Leg memory before = one.legs[j];
            if (before.asset != asset || !covered[j]) continue;
            if (before.deliverer == who) have -= before.quantity;
            if (before.receiver == who) have += before.quantity;
        }
    }
}
