// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice An account that is a contract and answers for its signatures (ERC-1271), honestly or not.
/// @dev Its owner signs with a key; the mood says what it makes of that.
contract Wallet {
    enum Mood {
        Honest,
        Refuses,
        AgreesToAll,
        AnswersShort,
        AnswersLong,
        AnswersDirty,
        Burns,
        Reverts,
        RevertsAgreeing,
        Writes,
        Reenters
    }

    bytes4 private constant MAGIC = 0x1626ba7e;

    address public immutable owner;
    Mood public mood;
    uint256 public written;
    address private _target;
    bytes private _call;

    constructor(address owner_) {
        owner = owner_;
    }

    function become(Mood mood_) external {
        mood = mood_;
    }

    /// @notice What it calls while it is asked.
    function plan(address target, bytes calldata call_) external {
        mood = Mood.Reenters;
        _target = target;
        _call = call_;
    }

    /// @notice Calls as this account.
    function act(address target, bytes calldata call_) external returns (bytes memory answer) {
        bool success;
        (success, answer) = target.call(call_);
        if (!success) {
            assembly ("memory-safe") {
                revert(add(answer, 0x20), mload(answer))
            }
        }
    }

    function isValidSignature(bytes32 digest, bytes calldata signature)
        external
        returns (bytes4 answer)
    {
        Mood now_ = mood;
        if (now_ == Mood.Refuses) return 0xffffffff;
        if (now_ == Mood.AgreesToAll) return MAGIC;
        if (now_ == Mood.Reverts) revert("no");
        if (now_ == Mood.RevertsAgreeing) {
            assembly {
                mstore(0, shl(224, 0x1626ba7e))
                revert(0, 32)
            }
        }
        if (now_ == Mood.Burns) while (true) {}
        if (now_ == Mood.Writes) written += 1;
        if (now_ == Mood.Reenters) {
            // Agrees in any case: what it tried must have failed by itself.
            (bool success,) = _target.call(_call);
            success;
            return MAGIC;
        }
        if (now_ == Mood.AnswersShort) {
            assembly {
                mstore(0, shl(224, 0x1626ba7e))
                return(0, 4)
            }
        }
        if (now_ == Mood.AnswersLong) {
            assembly {
                mstore(0, shl(224, 0x1626ba7e))
                return(0, 50000)
            }
        }
        if (now_ == Mood.AnswersDirty) {
            assembly {
                mstore(0, or(shl(224, 0x1626ba7e), 1))
                return(0, 32)
            }
        }
        if (signature.length != 65) return 0xffffffff;
        bytes32 r = bytes32(signature[0:32]);
        bytes32 s = bytes32(signature[32:64]);
        return ecrecover(digest, uint8(signature[64]), r, s) == owner ? MAGIC : bytes4(0xffffffff);
    }
}
