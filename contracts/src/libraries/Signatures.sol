// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Does this signature bind this account?
/// @notice ECDSA with 65 bytes (r, s, v) or 64 bytes compact (r, vs), low s only; failing that ERC-1271. The
/// account's code is never asked for: an account with delegated code still signs with its key.
library Signatures {
    /// @dev Half the order of secp256k1: a higher s would be a second signature of the same message.
    uint256 private constant MAX_S =
        0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;
    bytes4 private constant MAGIC = 0x1626ba7e;

    /// @notice Gas that a wallet gets to answer, never less.
    uint256 internal constant WALLET_GAS = 100_000;

    /// @notice Too little gas is left to give a wallet its WALLET_GAS. Reverts the whole call, so that a
    /// caller cannot make a good signature look bad by starving it.
    error NotEnoughGas(uint256 left, uint256 needed);

    /// @notice Whether `signature` over `digest` is the account's.
    function binds(bytes32 digest, address account, bytes calldata signature)
        internal
        view
        returns (bool)
    {
        if (account == address(0)) return false;
        if (_recover(digest, signature) == account) return true;
        return _walletAgrees(digest, account, signature);
    }

    /// @notice Whether `signature` over `digest` was made with the key of `signer`: an answer that never changes.
    function signs(bytes32 digest, address signer, bytes calldata signature)
        internal
        pure
        returns (bool)
    {
        return signer != address(0) && _recover(digest, signature) == signer;
    }

    function _recover(bytes32 digest, bytes calldata signature) private pure returns (address) {
        bytes32 r;
        uint256 s;
        uint8 v;
        // Reads the words of a signature of either length where they lie; any other has an s that is too high.
        assembly ("memory-safe") {
            r := calldataload(signature.offset)
            s := calldataload(add(signature.offset, 0x20))
            switch signature.length
            case 64 {
                // Compact: the top bit of the second word is the parity.
                v := add(27, shr(255, s))
                s := shr(1, shl(1, s))
            }
            case 65 { v := byte(0, calldataload(add(signature.offset, 0x40))) }
            default { s := not(0) }
        }
        if (s > MAX_S) return address(0);
        return ecrecover(digest, v, r, bytes32(s));
    }

    function _walletAgrees(bytes32 digest, address account, bytes calldata signature)
        private
        view
        returns (bool)
    {
        bytes memory question = abi.encodeWithSelector(MAGIC, digest, signature);
        // EIP-150 keeps a 64th back, and reaching an account costs 2,600, twice that with delegated code: with
        // this much left the wallet is sure to get WALLET_GAS.
        uint256 needed = (WALLET_GAS * 64) / 63 + 6000;
        if (gasleft() < needed) revert NotEnoughGas(gasleft(), needed);
        bool success;
        uint256 size;
        bytes32 answer;
        // Takes at most 32 bytes of the answer, whatever the wallet returns: a longer one cannot make the
        // caller pay for its copy. Memory: reads `question`, writes the scratch space only.
        assembly ("memory-safe") {
            success := staticcall(
                WALLET_GAS,
                account,
                add(question, 0x20),
                mload(question),
                0x00,
                0x20
            )
            size := returndatasize()
            answer := mload(0x00)
        }
        return success && size >= 32 && answer == bytes32(MAGIC);
    }
}
