// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice A feed of prices that answers for its rounds, honestly or not.
contract PriceFeed {
    enum Mood {
        Honest,
        SaysLatest,
        AnswersShort,
        Reverts,
        Burns,
        AnswersLong
    }

    struct Round {
        int256 answer;
        uint256 updatedAt;
    }

    mapping(uint80 round => Round) private _rounds;
    Mood private _mood;

    function tell(uint80 round, int256 answer, uint256 updatedAt) external {
        _rounds[round] = Round(answer, updatedAt);
    }

    function become(Mood mood) external {
        _mood = mood;
    }

    function getRoundData(uint80 round)
        external
        view
        returns (uint80, int256, uint256, uint256, uint80)
    {
        if (_mood == Mood.Reverts) revert("no");
        if (_mood == Mood.Burns) while (true) {}
        Round memory told = _rounds[round];
        if (_mood == Mood.AnswersShort) {
            assembly {
                mstore(0, round)
                mstore(32, mload(told))
                return(0, 159)
            }
        }
        if (_mood == Mood.AnswersLong) {
            (int256 answer, uint256 updatedAt) = (told.answer, told.updatedAt);
            assembly {
                mstore(0, round)
                mstore(32, answer)
                mstore(64, 0)
                mstore(96, updatedAt)
                return(0, 100000)
            }
        }
        uint80 named = _mood == Mood.SaysLatest ? round + 1 : round;
        return (named, told.answer, told.updatedAt, told.updatedAt, named);
    }
}
