// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {ILedger} from "./interfaces/ILedger.sol";
import {Account, Asset, Hold} from "./interfaces/Types.sol";
import {HoldingWord} from "./libraries/HoldingWord.sol";
import {NonceBits} from "./libraries/NonceBits.sol";
import {Signatures} from "./libraries/Signatures.sol";

/// @title The storage of the books, and the two moves between available and held
/// @dev The deployed code is cut in three, Settlement, Affirmation and Escrow, because it does not fit one;
/// all stand on this one layout, which a test pins. No storage is declared outside Books and Examination.
abstract contract Books is AccessManaged, EIP712 {
    using HoldingWord for uint256;

    // ------------------------------------------------------------------------------------------ storage
    // slot 0 is AccessManaged's; the domain of EIP-712 is immutable but for its fallback strings.

    /// @dev Holding by account << 32 | asset: one slot, available in the low half, held in the high half.
    mapping(uint256 holdingKey => uint256) internal _holdings;
    /// @dev One word an account: standing, freeze, class, withdrawals.
    mapping(address account => Account) internal _accounts;
    /// @dev A bit an asset, 256 assets a word: it exists and is not frozen.
    mapping(uint256 wordIndex => uint256) internal _openAssets;
    /// @dev Three words an asset, numbered from 1: what settlement and issuing ask for, issuer, supply.
    mapping(uint32 asset => Asset) internal _assets;
    mapping(bytes12 code => uint32 asset) internal _assetByCode;
    /// @dev Two bits a nonce, by account.
    mapping(address account => NonceBits.Space) internal _nonces;
    /// @dev Live holds of modules, by the hash of their terms.
    mapping(bytes32 hold => bool) internal _liveHolds;
    mapping(address module => bool) internal _modules;
    uint32 internal _assetCount;

    constructor(address authority_) AccessManaged(authority_) EIP712("settle", "1") {}

    function _key(address account, uint32 asset) internal pure returns (uint256) {
        return _keyOf(uint160(account), asset);
    }

    /// @dev The same from whole words, checked to be clean.
    function _keyOf(uint256 account, uint256 asset) internal pure returns (uint256) {
        return (account << 32) | asset;
    }

    /// @dev Where a holding is stored. What touches a holding twice keeps this, and hashes once.
    function _slotOf(uint256 account, uint256 asset) internal pure returns (uint256 slot) {
        uint256 key = _keyOf(account, asset);
        // What the compiler does for `_holdings[key]`, in the scratch space.
        assembly ("memory-safe") {
            mstore(0x00, key)
            mstore(0x20, _holdings.slot)
            slot := keccak256(0x00, 0x40)
        }
    }

    /// @dev Reads a slot that `_slotOf` gave.
    function _holdingAt(uint256 slot) internal view returns (uint256 word) {
        assembly ("memory-safe") {
            word := sload(slot)
        }
    }

    /// @dev Writes to a slot that `_slotOf` gave, so to a holding and nothing else.
    function _setHoldingAt(uint256 slot, uint256 word) internal {
        assembly ("memory-safe") {
            sstore(slot, word)
        }
    }

    /// @dev The one word of an account, as stored. Takes the account in a word, checked to be clean.
    function _accountWord(uint256 account) internal view returns (uint256 word) {
        // What the compiler does for `_accounts[account]`, in the scratch space.
        assembly ("memory-safe") {
            mstore(0x00, account)
            mstore(0x20, _accounts.slot)
            word := sload(keccak256(0x00, 0x40))
        }
    }

    function _isOpen(uint256 asset) internal view returns (bool) {
        return (_openAssets[asset >> 8] >> (asset & 255)) & 1 == 1;
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

    /// @dev available -> held, title unmoved.
    function _hold(Hold memory hold) internal {
        uint256 key = _key(hold.account, hold.asset);
        uint256 word = _holdings[key];
        if (word.available() < hold.quantity) {
            revert ILedger.HoldingTooSmall(
                hold.account, hold.asset, word.available(), hold.quantity
            );
        }
        word = word.hold(hold.quantity);
        _holdings[key] = word;
        emit ILedger.HoldPlaced(
            hold.purpose,
            hold.index,
            hold.module,
            hold.account,
            hold.asset,
            hold.quantity,
            hold.deadline,
            word.read()
        );
    }

    /// @dev held -> available, whatever anybody's standing is (law L5).
    function _unhold(Hold memory hold, bool executed) internal {
        uint256 key = _key(hold.account, hold.asset);
        uint256 word = _holdings[key].unhold(hold.quantity);
        _holdings[key] = word;
        emit ILedger.HoldEnded(
            hold.purpose,
            hold.index,
            hold.module,
            hold.account,
            hold.asset,
            hold.quantity,
            hold.deadline,
            executed,
            word.read()
        );
    }
}
